"""Time: how long an epoch has taken, and when something is due again."""

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
