"""`compare`: the scores of many evaluations, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imbsynth.configs import CompareConfig
from imbsynth.engine.events import OnEvent, silent
from imbsynth.errors import UserError
from imbsynth.store.records import METRICS, read_json

SCORES = ("acsa", "g_mean", "f1_macro", "auroc_macro")


@dataclass(frozen=True)
class Report:
    """What `compare` prints."""

    rows: list[dict[str, Any]]  # name, the scores, their intervals, and the rarest class's recall


def run(config: CompareConfig, *, on_event: OnEvent = silent) -> Report:
    """Collect every metrics.json below a folder, by the name of the folder that it stands in."""
    files = sorted(config.src.rglob(METRICS)) if config.src.is_dir() else []
    if not files:
        raise UserError(
            f"{config.src}: no {METRICS} in it or below",
            f"evaluate with --out {config.src / 'NAME'} first",
        )
    return Report([_row(path, path.parent.relative_to(config.src).as_posix()) for path in files])


def _row(path: Path, name: str) -> dict[str, Any]:
    scores = read_json(path)
    try:
        rarest = min(scores["per_class"].values(), key=lambda found: found["trained"])
        return {
            "name": name,
            **{score: _number(scores[score]) for score in SCORES},
            "intervals": {score: _interval(scores["intervals"][score]) for score in SCORES},
            "rarest_recall": _number(rarest["recall"]),
        }
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UserError(
            f"{path}: not written by `imbsynth evaluate` ({str(error)[:80]!r})",
            "evaluate again, or remove the file",
        ) from None


def _interval(found: Any) -> list[float]:
    """Two numbers."""
    low, high = found
    return [_number(low), _number(high)]


def _number(found: Any) -> float:
    """A finite number; ValueError for anything else that a file may hold."""
    if not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError("a score that is no number")
    return float(found)
