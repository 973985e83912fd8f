"""Requests to stop: a signal is answered at a point where no work is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from imbsynth.errors import SAME_REQUEST, Interrupted
from imbsynth.runtime.world import World, current_world

# What asks a run to stop: Ctrl-C, batch systems, a terminal that is closed.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Set when a stop signal has arrived; `check` ends the run at a safe point."""

    signal_number: int | None = None
    arrived = 0.0  # when, by the monotonic clock

    def __init__(self, world: World) -> None:
        self.world = world

    def check(self, save: Callable[[], None]) -> None:
        """Raise Interrupted, after `save`, if a signal has arrived in any process of the world."""
        if self.world.agree(self.signal_number is not None):
            save()
            raise Interrupted(self.signal_number or signal.SIGTERM)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Turn the first stop signal into a request; a later one acts as it did before.

    Two in a row are one: make and batch systems signal the whole group, then each process. SIGHUP
    stays ignored where the process was started so, as by nohup.
    """
    request = StopRequest(current_world())
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread can receive signals
        return
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    previous = {
        number: handler
        for number, handler in handlers.items()
        if number != signal.SIGHUP or handler != signal.SIG_IGN
    }

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def on_signal(number: int, _frame: object) -> None:
        if request.signal_number is None:
            request.signal_number, request.arrived = number, time.monotonic()
        elif time.monotonic() - request.arrived > SAME_REQUEST:
            restore()
            os.kill(os.getpid(), number)

    for number in previous:
        signal.signal(number, on_signal)
    try:
        yield request
    finally:
        restore()


@contextmanager
def resumable() -> Iterator[None]:
    """A block after a run's last step, whose state is saved: a signal raises Interrupted here too.

    KeyboardInterrupt and SystemExit, which signals raise elsewhere, say nothing about resuming.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(signal.SIGINT) from None
    except SystemExit as end:
        if not isinstance(end.code, int) or end.code <= 128:
            raise
        raise Interrupted(end.code - 128) from None
