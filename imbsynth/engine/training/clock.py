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


class Forecast:
    """Tells once, when the first seconds are over, how long a run still takes."""

    def __init__(self, after: float, done: int) -> None:
        """after: the seconds. done: the steps before them."""
        self.after, self.before = after, done
        self.start: float | None = time.monotonic()

    def seconds(self, done: int, total: int) -> float | None:
        """What is left of `total` steps, if it is time to tell."""
        if self.start is None or time.monotonic() - self.start < self.after:
            return None
        passed, self.start = time.monotonic() - self.start, None
        return passed / (done - self.before) * (total - done)
