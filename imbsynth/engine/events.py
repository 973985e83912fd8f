"""What a run tells whoever watches it; the command line turns these into bars and lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from imbsynth.store.names import number_of


class Started(NamedTuple):
    """A stage with a known amount of work begins."""

    task: str  # "reading images"
    total: int  # in units of `unit`
    unit: str = "images"


class Advanced(NamedTuple):
    """So much of the current stage is done."""

    done: float  # a fraction, where the work of one unit takes long
    detail: str = ""  # shown beside the bar


class EpochDone(NamedTuple):
    """One epoch of training is over."""

    epoch: int  # counted from 1
    epochs: int
    losses: dict[str, float]
    images_per_second: float


class Note(NamedTuple):
    """Something the user should know that does not stop the run."""

    text: str


Event = Started | Advanced | EpochDone | Note
OnEvent = Callable[[Event], None]


def silent(_event: Event) -> None:
    """The default listener."""


def duration(seconds: float) -> str:
    """A time to wait, rounded to whole hours, minutes or seconds."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return number_of(round(seconds), "second")
