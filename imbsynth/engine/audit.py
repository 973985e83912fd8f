"""`audit`: are synthetic images told from real ones, are they of their class, are they copies?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from imbsynth.configs import MAX_CLASSIFIED_SIDE, AuditConfig, check_size
from imbsynth.core.batches import Indices
from imbsynth.engine.auditing.findings import Numbers, class_numbers, copies_of, failures, probe
from imbsynth.engine.auditing.images import NEITHER, Audited, halves_of, read_audited
from imbsynth.engine.auditing.judge import check_judgeable, judge
from imbsynth.engine.auditing.pictures import write_pictures
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.previews import Fits
from imbsynth.errors import UserError
from imbsynth.runtime import resolve_device
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, check_folder_target, new_folder
from imbsynth.store.records import AUDIT, AUDIT_PICTURES, provenance, write_json, write_record

TOO_FEW = "fewer than 2 different real images that are in no other class"
LIMITS = ("max_auroc", "min_fidelity", "max_near_copies")
COPYING = "ros"  # the method
MEANS = ("near_copies", "label_fidelity", "real_fidelity")


@dataclass(frozen=True)
class Report:
    """What `audit` prints, and audit.json. Numbers of all classes are means over classes."""

    verdict: str  # "pass" or "fail"
    failures: list[str]  # which limits are passed, in words
    limits_passed: list[str]  # the same by the names of the options
    limits: dict[str, float]
    copies: bool  # whether all synthetic images are copies, as method ros makes them
    probe_auroc: float
    probe_by: Numbers  # the same by blur, by frequency and by noise alone
    near_copies: float
    label_fidelity: float | None  # None for a single class
    real_fidelity: float | None  # of real images, which the judge has not seen either
    per_class: dict[str, Numbers]
    left_out: dict[str, str]  # class: why it has no numbers
    out: str | None


def run(config: AuditConfig, *, on_event: OnEvent = silent) -> Report:
    """Check the synthetic images of a folder."""
    _check_output(config)
    device = resolve_device(config.device)
    everything = read_audited(config, on_event, Fits(partial(check_judgeable, config)))
    check_size(everything.pixels.shape[2:], MAX_CLASSIFIED_SIDE, "a classifier")
    images = _judgeable(everything)
    half = halves_of(images, config.most, config.seed)
    labels, left_out = _measured(everything, images, half)
    _explain(labels, left_out, on_event)
    judged = judge(config, images, half, device, on_event) if len(images.classes) > 1 else None
    chosen = np.flatnonzero((half != NEITHER) & np.isin(images.labels, labels))
    probed = probe(images, chosen, half)
    copies = {label: copies_of(images, label) for label in labels}
    per_class = {
        images.classes[k]: class_numbers(k, images, chosen, half, probed, judged, copies[k])
        for k in labels
    }
    means = {name: _mean(per_class, name) for name in MEANS}
    numbers: dict[str, Any] = {"probe_auroc": probed.auroc, **means}
    failed = failures(config, numbers)
    report = Report(
        verdict="fail" if failed else "pass",
        failures=list(failed.values()),
        limits_passed=list(failed),
        limits={name: getattr(config, name) for name in LIMITS},
        copies=images.methods == {COPYING},
        probe_by=probed.by,
        per_class=per_class,
        left_out=left_out,
        out=None if config.out is None else config.out.as_posix(),
        **numbers,
    )
    if config.out is not None:
        with new_folder(config.out, command="audit", force=config.force) as part:
            found = {name: value for name, value in asdict(report).items() if name != "out"}
            write_json(part / AUDIT, found)
            write_pictures(part / AUDIT_PICTURES, images, copies, chosen, probed, judged)
            inputs = dict(everything.inputs)
            record = provenance("audit", config, inputs=inputs, libraries=("torch",))
            write_record(part, {**record, **everything.left_out})
    return report


def _check_output(config: AuditConfig) -> None:
    """Raise UserError at once if the folder could not be made in the end."""
    if config.out is None:
        return
    for folder in (config.real, config.fake):
        if folder is not None:
            check_apart(folder, config.out)
    check_folder_target(config.out, command="audit", force=config.force)


def _explain(labels: list[int], left_out: dict[str, str], on_event: OnEvent) -> None:
    """Say which classes have no numbers; UserError if none has."""
    shown = [f"{name} ({why})" for name, why in left_out.items()]
    if not labels:
        raise UserError(
            f"there is nothing to compare: class {listing(shown)}",
            "give more images: 2 different real ones per class at least, and synthetic ones made "
            "of each",
        )
    if shown:
        on_event(Note(f"without numbers: class {listing(shown)}"))


def _judgeable(images: Audited) -> Audited:
    """The images of the classes that have real images for both halves."""
    kept = np.flatnonzero([len(real) >= 2 for real in images.distinct()])
    rows = np.flatnonzero(np.isin(images.labels, kept))
    chosen = images.images.of_classes(kept)
    parents = [images.parents[i] for i in rows]
    return Audited(chosen, images.synthetic[rows], parents, images.methods)


def _measured(
    everything: Audited, images: Audited, half: Indices
) -> tuple[list[int], dict[str, str]]:
    """The classes with real and synthetic images in both halves; of the others, why not."""
    left_out = {name: TOO_FEW for name in everything.classes if name not in images.classes}
    labels = []
    for label, name in enumerate(images.classes):
        made = images.of(label, synthetic=True)
        if {0, 1} <= set(half[made].tolist()):
            labels.append(label)
        elif len(made):
            left_out[name] = "too few synthetic images whose parents are in one half"
        else:
            left_out[name] = "no synthetic images"
    return labels, left_out


def _mean(per_class: dict[str, Numbers], name: str) -> float | None:
    values = [numbers[name] for numbers in per_class.values() if name in numbers]
    return float(np.mean(values)) if values else None
