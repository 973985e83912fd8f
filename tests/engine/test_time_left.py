from __future__ import annotations

import time

import pytest

from imbsynth.engine.time_left import TimeLeft


def test_what_is_left_is_told_once_and_not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step waits for moved images, and says nothing of the others."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    time_left = TimeLeft(after=9, least=5)
    now = 160
    assert time_left.once(21, 100) is None  # resumed after 20 steps
    now = 168
    assert time_left.once(37, 100) is None
    now = 170
    assert time_left.once(41, 100) == 29.5  # 20 steps took 10 seconds, and 59 are left
    now = 200
    assert time_left.once(90, 100) is None


def test_a_single_slow_step_says_nothing_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    time_left = TimeLeft(after=9, least=5)
    assert time_left.once(1, 100) is None
    for step in range(2, 7):
        now += 20
        assert time_left.once(step, 100) is None
    now += 20
    assert time_left.once(7, 100) == 93 * 20
