"""What an audit finds: numbers for each class, and which images show them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import AuditConfig
from imbsynth.core.batches import Indices
from imbsynth.core.frechet import frechet_distance, summary_for
from imbsynth.core.manifolds import DENSITY_K, compare_manifolds
from imbsynth.core.near_copies import NearCopies, near_copies
from imbsynth.core.pixels import to_unit
from imbsynth.core.probe import cross_fitted_scores, separability
from imbsynth.core.sharpness import TRACES
from imbsynth.engine.auditing.images import Audited
from imbsynth.engine.auditing.judge import Judged

Numbers = dict[str, float]


class Probed(NamedTuple):
    """What the probe says."""

    scores: NDArray[np.float64]  # (n,) the higher, the more synthetic; of the images asked about
    auroc: float
    by: Numbers  # by blur alone, by frequency alone, ...


def probe(images: Audited, chosen: Indices, half: Indices) -> Probed:
    """Can the (n,) chosen images, which are in a half, be told apart, and by what?"""
    labels, synthetic, side = images.labels[chosen], images.synthetic[chosen], half[chosen]
    traces = {name: trace(images.pixels[chosen]) for name, trace in TRACES.items()}
    by = {
        name: separability(
            cross_fitted_scores(seen, synthetic, labels, side), synthetic, labels, side
        )
        for name, seen in traces.items()
    }
    everything = np.concatenate(list(traces.values()), 1)
    scores = cross_fitted_scores(everything, synthetic, labels, side)
    return Probed(scores, separability(scores, synthetic, labels, side), by)


def copies_of(images: Audited, label: int) -> NearCopies:
    """The near-copies of a class, compared with all its real images; rows as in `Audited.of`."""
    real, made = (
        to_unit(torch.from_numpy(images.pixels[images.of(label, synthetic=kind)]))
        for kind in (False, True)
    )
    return near_copies(made, real)


def class_numbers(
    label: int,
    images: Audited,
    chosen: Indices,
    half: Indices,
    probed: Probed,
    judged: Judged | None,
    copies: NearCopies,
) -> Numbers:
    """The numbers of a class, of which both halves have real and synthetic images.

    copies: what `copies_of` says of the class.
    """
    own = images.labels[chosen] == label
    mine = chosen[own]
    made = mine[images.synthetic[mine]]
    real = mine[~images.synthetic[mine]]
    area = separability(probed.scores[own], images.synthetic[mine], images.labels[mine], half[mine])
    numbers: Numbers = {
        "real": len(images.of(label, synthetic=False)),
        "synthetic": len(images.of(label, synthetic=True)),
        "probe_auroc": area,
        "near_copies": float(copies.is_copy.double().mean()),
    }
    if judged is not None:
        numbers["label_fidelity"] = float((judged.named[made] == label).mean())
        numbers["real_fidelity"] = float((judged.named[real] == label).mean())
        numbers |= _distances(judged, real, made, half)
    return numbers


def _distances(judged: Judged, real: Indices, made: Indices, half: Indices) -> Numbers:
    """Fréchet distance and coverage in the features of each half's judge, and their mean."""
    found: dict[str, list[float]] = {"frechet": [], "coverage": []}
    for side in (0, 1):
        ours, theirs = (judged.features[rows[half[rows] == side]] for rows in (real, made))
        if min(len(ours), len(theirs)) >= 2:
            summaries = [summary_for(len(part), part.shape[1]) for part in (ours, theirs)]
            for summary, part in zip(summaries, (ours, theirs), strict=True):
                summary.add(part)
            found["frechet"].append(frechet_distance(*summaries))
        if min(len(ours), len(theirs)) > DENSITY_K:
            found["coverage"].append(compare_manifolds(ours, theirs).coverage)
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def failures(config: AuditConfig, numbers: dict[str, float | None]) -> dict[str, str]:
    """The limits that are passed, by the option's name, and how; numbers: of all classes."""
    found = {}
    auroc, copies = numbers["probe_auroc"], numbers["near_copies"]
    fidelity, reference = numbers["label_fidelity"], numbers["real_fidelity"]
    if auroc is not None and auroc > config.max_auroc:
        found["max_auroc"] = (
            f"a probe tells synthetic from real images: AUROC {auroc:.2f}, and at most "
            f"{config.max_auroc:g} is allowed"
        )
    if fidelity is not None and reference and fidelity < config.min_fidelity * reference:
        found["min_fidelity"] = (
            f"the judge names {100 * fidelity:.1f} % of the synthetic images as their class, and "
            f"{100 * reference:.1f} % of the real ones: less than {config.min_fidelity:g} of that"
        )
    if copies is not None and copies > config.max_near_copies:
        found["max_near_copies"] = (
            f"{100 * copies:.1f} % of the synthetic images are near-copies of real ones, and at "
            f"most {100 * config.max_near_copies:g} % are allowed"
        )
    return found
