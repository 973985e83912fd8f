"""The log of a training run, read back: a file that may have been cut or edited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imbsynth.errors import UserError
from imbsynth.store.records import read_lines

_MOST = 1e39  # more than a float32 holds: no loss is larger, and no figure could show it


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number that a log can hold: finite, and not negative."""
    return type(value) in (int, float) and 0 <= value < _MOST


def check_lines(history: Any, names: Sequence[str]) -> None:
    """Raise ValueError unless it is a line an epoch, with a number for each name in every line."""
    if not isinstance(history, list):
        raise ValueError("its history is no list")
    for number, line in enumerate(history, 1):
        wanted = ("seconds", "images_per_second", *names)
        if not isinstance(line, dict) or line.get("epoch") != number:
            raise ValueError(f"line {number} of its history is not of epoch {number}")
        if not all(is_number(line.get(name)) for name in wanted) or not line["seconds"]:
            raise ValueError(f"line {number} of its history lacks numbers")


def read_history(log: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of a finished run's log; UserError if they are not all there."""
    history = read_lines(log)
    try:
        check_lines(history, names)
        if not history:
            raise ValueError("it is empty")
    except ValueError as error:
        raise UserError(
            f"{log}: not the log of a run ({error})", "restore it, or train again with --force"
        ) from None
    return history


def images_per_second(history: list[dict[str, Any]]) -> float:
    """Over all epochs of a run."""
    images = sum(line["seconds"] * line["images_per_second"] for line in history)
    return float(images / sum(line["seconds"] for line in history))
