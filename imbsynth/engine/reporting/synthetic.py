"""The part of a report on synthetic images: how many, how they look, and what audits say."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from imbsynth.engine.comparison.wording import percent
from imbsynth.engine.manifest import synthetic_among
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import Part, joined, named
from imbsynth.engine.reporting.pictures import picture
from imbsynth.pages.blocks import Bar, Block, Cell, Section, Table, Text
from imbsynth.store.fields import finite, mapping, text, texts
from imbsynth.store.records import AUDIT, AUDIT_PICTURES, SAMPLES, read_json

SHARES = {
    "label_fidelity": "synthetic named right",
    "real_fidelity": "real named right",
    "near_copies": "near-copies",
}


def synthetic_part(below: Below) -> Part | None:
    """Generated folders and audits; None if there are none."""
    blocks: list[Block] = []
    best = ""
    for path in below.of("generate"):
        blocks += _generated(below, path)
    for path in below.of("audit"):
        found = below.attempt(joined(path, AUDIT), partial(_audit, below, path))
        blocks += [] if found is None else [found.section]
        best = best or ("" if found is None else found.best)
    return Part(Section("Synthetic images", blocks), best) if blocks else None


def _generated(below: Below, path: str) -> list[Block]:
    files = [file for file in below.outputs[path].files if "/" in file]
    synthetic = synthetic_among(files, {})
    total, made = (Counter(file.split("/")[0] for file in kind) for kind in (files, synthetic))
    name = named(below, path)
    largest = max(total.values(), default=1)
    rows: list[list[Cell]] = []
    for label in sorted(total, key=lambda label: made[label]):
        real, more = total[label] - made[label], made[label]
        rows.append([label, str(real), Bar(str(more), real / largest, more / largest)])
    caption = f"{name}: images by class; the lighter part of a bar is synthetic"
    added = len(synthetic)
    said = f"{name} has {len(files) - added} original and {added} synthetic images."
    return [
        Text(said),
        Table(caption, ["class", "original", "synthetic"], rows),
        *picture(
            below,
            joined(path, SAMPLES),
            f"For each class of {name}, real images, their neighbors and synthetic images.",
            f"What the synthetic images of {name} are made of, and what they look like",
        ),
    ]


def _audit(below: Below, path: str) -> Part:
    """One audit; UserError or Wrong if its file is damaged."""
    found = read_json(below.root / path / AUDIT)
    verdict, name = text(found, "verdict"), named(below, path)
    failed, auroc = texts(found, "failures"), finite(found, "probe_auroc", 0, 1)
    said = f"{name}: the audit is {'passed' if verdict == 'pass' else 'not passed'}"
    said += f": {'; '.join(failed)}." if failed else f" (AUROC of the probe: {auroc:.2f})."
    per_class = mapping(found, "per_class")
    rows = [_row(label, mapping(per_class, label)) for label in per_class]
    header = ["class", "probe AUROC", *SHARES.values()]
    blocks: list[Block] = [
        Text(said),
        Table(f"{name} by class; shares of images in percent", header, rows),
        *picture(
            below,
            joined(path, AUDIT_PICTURES),
            f"Images of {name}: those told as synthetic most surely, those of doubtful "
            "class, and near-copies beside the real images they are close to.",
            "What the audit found: look at these images",
        ),
    ]
    return Part(Section(name, blocks), said)


def _row(label: str, numbers: dict[str, Any]) -> list[Cell]:
    shares = [percent(finite(numbers, n, 0, 1)) if n in numbers else "" for n in SHARES]
    return [label, f"{finite(numbers, 'probe_auroc', 0, 1):.2f}", *shares]
