"""How long a work will still take: for lines of progress, and the note on a long training."""

from __future__ import annotations

import time


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
