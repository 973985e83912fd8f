"""Time: how long an epoch has taken, how long a run will take, and when something is due again."""

from __future__ import annotations

import time


class Clock:
    """Counts seconds while it runs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._mark = time.perf_counter()  # when `seconds` was last brought up to date

    def start(self) -> None:
        """Count from here."""
        self._mark = time.perf_counter()

    def tick(self) -> None:
        """Add the time since the last look."""
        now = time.perf_counter()
        self.seconds += now - self._mark
        self._mark = now


class Every:
    """Says when this many seconds have passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def due(self) -> bool:
        """Whether they have; if so, the next interval begins."""
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


class TimeLeft:
    """Foresees the rest of a work by its speed since the first look, when some of it was done.

    What comes before (imports, reading, moving images, a first step in which libraries warm up)
    would pass for the speed of the rest.
    """

    def __init__(self, after: float = 0.0, least: float = 0.0) -> None:
        """It needs more than `after` seconds and more than `least` of the work behind it."""
        self.after, self.least, self.told = after, least, False
        self.first: tuple[float, float] | None = None  # when that was, and what was done by then

    def seconds(self, done: float, total: float) -> float | None:
        """What is left of `total`, if that can be told yet."""
        now = time.monotonic()
        begun, before = self.first = self.first or (now, done)
        if now - begun <= self.after or done - before <= self.least:
            return None
        return (now - begun) / (done - before) * (total - done)

    def once(self, done: float, total: float) -> float | None:
        """The same, the first time that it can be told."""
        if self.told:
            return None
        left = self.seconds(done, total)
        self.told = left is not None
        return left
