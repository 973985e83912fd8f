from __future__ import annotations

import os
import signal

import pytest

from imbsynth.errors import Interrupted
from imbsynth.runtime import World, resumable, stop_request
from imbsynth.runtime.interruption import StopRequest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_at_a_safe_point_after_saving(number: signal.Signals) -> None:
    saved = []
    before = signal.getsignal(number)
    with stop_request() as request:
        request.check(lambda: saved.append("too early"))
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as caught:
            request.check(lambda: saved.append("state"))
    assert saved == ["state"]
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


class OneOfTwo(World):
    """A process whose neighbour has been asked to stop."""

    rank, size = 1, 2

    def agree(self, wanted: bool) -> bool:
        return True


def test_a_signal_to_another_process_of_the_world_stops_this_one_too() -> None:
    saved = []
    with pytest.raises(Interrupted) as caught:
        StopRequest(OneOfTwo()).check(lambda: saved.append("state"))
    assert saved == ["state"]
    assert caught.value.exit_code == 128 + signal.SIGTERM


@pytest.mark.parametrize(("end", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_signal_after_the_last_step_ends_a_run_that_can_be_resumed(
    end: BaseException, code: int
) -> None:
    with pytest.raises(Interrupted) as caught, resumable():
        raise end
    assert caught.value.exit_code == code
    with pytest.raises(SystemExit), resumable():
        raise SystemExit(2)
