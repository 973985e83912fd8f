"""Single evaluations compared image by image, as data and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imbsynth.engine.comparison.best import Best, read_predictions
from imbsynth.engine.comparison.evaluations import Evaluation, best_in, evaluation, grouped
from imbsynth.engine.comparison.sentences import best_classifier, by_reason
from imbsynth.engine.comparison.stored import Result
from imbsynth.errors import UserError
from imbsynth.store.records import PREDICTIONS

METRIC = "acsa"  # the only one that is compared so
LEAD_COLUMNS = ("first", "second", "difference", "low", "high", "clear")

NOT_NEW = "scores that are not on new images"
NOT_READ = f"no {PREDICTIONS} that can be read"
ALONE = "no other classifier has predictions of the same test images"


def image_by_image(results: Sequence[Result], rope: float) -> dict[str, Any]:
    """Which classifier is best on the same test images, and how clearly.

    Keys: `metric`; `groups`, one per set of test images that several classifiers were tested on,
    with `classifiers` (their names), `images` (number), `best`, `leads` (by LEAD_COLUMNS, the
    smallest first) and `sentence`; `left_out`, a sentence per reason. All are empty for fewer than
    two evaluations. rope: the largest difference that does not matter.
    """
    found = [_read(folder, one) for one in results if (folder := one.folder) is not None]
    groups, left_out = [], dict[str, list[str]]()
    for group in grouped(found) if len(found) > 1 else []:
        best = best_in(group, rope)
        groups += [] if best is None else [_group(group, best)]
        for one in group:
            if reason := _reason(one, best):
                left_out.setdefault(reason, []).append(one.name)
    return {"metric": METRIC, "groups": groups, "left_out": by_reason(left_out)}


def _read(folder: Path, result: Result) -> Evaluation:
    try:
        return evaluation(folder, result, read_predictions(folder))
    except UserError:
        return evaluation(folder, result, None)


def _group(group: Sequence[Evaluation], best: Best) -> dict[str, Any]:
    compared = [one for one in group if one.comparable is not None]
    return {
        "classifiers": [one.name for one in compared],
        "images": len(compared[0].comparable or ()),
        "best": best.name,
        "leads": [
            {
                "first": best.name,
                "second": lead.other,
                "difference": lead.difference.value,
                "low": lead.difference.low,
                "high": lead.difference.high,
                "clear": lead.clear,
            }
            for lead in best.leads
        ],
        "sentence": best_classifier(group, best),
    }


def _reason(one: Evaluation, best: Best | None) -> str:
    """Why it is not compared; "" if it is."""
    if one.predictions is None:
        return NOT_READ
    if one.result.overlap:
        return NOT_NEW
    return ALONE if best is None else ""
