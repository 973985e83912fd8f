"""The time that is left of a stage: for lines of progress, and the note on a long training."""

from __future__ import annotations

import time


class TimeLeft:
    """Estimates the time left from the speed since the first call, when some of the work was done.

    What comes before that (imports, reading, moving images, a first step in which libraries warm
    up) is slower than the rest.
    """

    def __init__(self, after: float = 0.0, least: float = 0.0) -> None:
        """No estimate before more than `after` seconds, and more than `least` work, since then."""
        self.after, self.least, self.told = after, least, False
        self.first: tuple[float, float] | None = None  # the time of that call, and what was done

    def seconds(self, done: float, total: float) -> float | None:
        """The seconds that the rest of `total` takes; None if it is too early to say."""
        now = time.monotonic()
        begun, before = self.first = self.first or (now, done)
        if now - begun <= self.after or done - before <= self.least:
            return None
        return (now - begun) / (done - before) * (total - done)

    def once(self, done: float, total: float) -> float | None:
        """The same, but only once: None after it has been said."""
        if self.told:
            return None
        left = self.seconds(done, total)
        self.told = left is not None
        return left
