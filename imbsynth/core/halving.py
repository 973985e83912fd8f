"""Which methods of a cross-validation are so far behind that their other folds can be spared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from imbsynth.core.paired import Difference, ValuesByClass, acsa_difference, compared

FALSE_STOPS = 0.05  # how often any method that is as good as the best is stopped, at most

# Of each method by fold, for the folds that are done: 1 for each image that was named correctly,
# else 0.
Right = Mapping[str, Sequence[ValuesByClass]]


class Stop(NamedTuple):
    """Why a method is not trained on the folds that are left."""

    folds: int  # after how many it was stopped
    best: str  # the method with the highest ACSA in these folds
    lead: Difference  # of the best over it, with an interval that holds for all comparisons


def looks(folds: int) -> list[int]:
    """After how many folds methods are compared: 2, 4, 8, ..., as long as some are left."""
    return [2**i for i in range(1, folds.bit_length()) if 2**i < folds]


def gains(own: Sequence[ValuesByClass], base: Sequence[ValuesByClass]) -> list[ValuesByClass]:
    """Of each image, in the folds that both have: 1 if only the first was right, -1, or 0."""
    return [
        [mine - other for mine, other in zip(*fold, strict=True)]
        for fold in zip(own, base, strict=False)
    ]


def stops(
    right: Right, bases: Mapping[str, str | None], folds: int, rope: float
) -> dict[str, Stop]:
    """The methods that are stopped, by what is known so far, in the order in which they are.

    bases: what each method's gain is measured against; a base runs as long as a method that is
    compared with it. rope: of ACSA, a lead that does not matter.

    As in successive halving (Jamieson and Talwalkar, 2016), methods are compared after a part of
    the work that doubles each time. Unlike there, it is not always half of them that go, but those
    that are surely more than `rope` behind the best: the intervals hold for all pairs of methods at
    all looks together (Bonferroni). A look counts once every method that still runs has all of
    its folds, so more results never change what was decided.
    """
    found: dict[str, Stop] = {}
    pairs = len(right) * (len(right) - 1) / 2
    confidence = 1 - FALSE_STOPS / max(pairs * len(looks(folds)), 1)
    for done in looks(folds):
        running = [method for method in right if method not in found]
        if len(running) < 2:
            break
        if any(len(right[method]) < done for method in running):
            break
        now = {method: right[method][:done] for method in running}
        found |= _behind(now, bases, confidence, rope)
    return found


def _behind(
    right: Right, bases: Mapping[str, str | None], confidence: float, rope: float
) -> dict[str, Stop]:
    """Those that are surely behind the best, and that no other running method needs.

    What images explain is not taken off the variance between folds, as `training_variance` does:
    over two folds the rest is often estimated as nothing, and methods would be stopped by chance.
    """
    known = [gains(own, right[base]) for m, own in right.items() if (base := bases[m]) is not None]
    spread = float(np.mean([np.var([acsa_difference(f) for f in own], ddof=1) for own in known]))
    best = max(right, key=lambda method: _acsa(right[method]))
    behind = {}
    for method, own in right.items():
        lead = compared(gains(right[best], own), spread, len(known), rope, confidence)
        if method != best and lead.low > rope:
            behind[method] = Stop(len(own), best, lead)
    needed = {base for method in right.keys() - behind for base in _chain(method, bases)}
    return {method: stop for method, stop in behind.items() if method not in needed}


def _chain(method: str, bases: Mapping[str, str | None]) -> list[str]:
    """What a method is compared with, and what that is compared with in turn."""
    base = bases[method]
    return [] if base is None else [base, *_chain(base, bases)]


def _acsa(folds: Sequence[ValuesByClass]) -> float:
    return float(np.mean([np.concatenate(own).mean() for own in zip(*folds, strict=True)]))
