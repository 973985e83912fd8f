"""The log of a training run, read back: a file that may have been cut or edited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imbsynth.errors import UserError, option
from imbsynth.store.records import read_lines

_MOST = 1e39  # more than a float32 holds: no loss is larger, and no figure could show it


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number that a log can hold: finite, and not negative."""
    return type(value) in (int, float) and 0 <= value < _MOST


def problem_of(history: Any, names: Sequence[str]) -> str | None:
    """What is wrong with a log: it needs a line per epoch, with a number for each name in each."""
    if not isinstance(history, list):
        return "its history is not a list"
    for number, line in enumerate(history, 1):
        if not isinstance(line, dict) or line.get("epoch") != number:
            return f"line {number} of its history is not of epoch {number}"
        wanted = ("seconds", "images_per_second", *names)
        missing = [name for name in wanted if not is_number(line.get(name))]
        if missing:
            return f"line {number} of its history has no number for {missing[0]}"
        if not line["seconds"]:
            return f"line {number} of its history took no time"
    return None


def read_history(log: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of a finished run's log; UserError if they are not all there."""
    history = read_lines(log)
    problem = problem_of(history, names) or (None if history else "it is empty")
    if problem:
        raise UserError(
            f"{log}: not the log of a run ({problem})",
            f"restore it, or train again with {option('force')}",
        )
    return history


def images_per_second(history: list[dict[str, Any]]) -> float:
    """Over all epochs of a run."""
    images = sum(line["seconds"] * line["images_per_second"] for line in history)
    return float(images / sum(line["seconds"] for line in history))
