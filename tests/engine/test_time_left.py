from __future__ import annotations

import time
from pathlib import Path

import pytest

from imbsynth.configs import TrainAeConfig
from imbsynth.engine import train_ae
from imbsynth.engine.events import Event, Note
from imbsynth.engine.time_left import TimeLeft
from imbsynth.engine.training import loop
from tests.conftest import MakeFolder


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


@pytest.mark.parametrize(("long", "told"), [(0, 1), (1e9, 0)])
def test_a_long_training_says_what_it_costs(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: float, told: int
) -> None:
    monkeypatch.setattr(loop, "ESTIMATE_SECONDS", 0)
    monkeypatch.setattr(loop, "ESTIMATE_STEPS", 1)
    monkeypatch.setattr(loop, "LONG", long)
    heard: list[Event] = []
    src, out = make_folder({"a": 6, "b": 3}), tmp_path / "ae.safetensors"
    train_ae.run(TrainAeConfig(src=src, out=out, epochs=2, batch_size=2), on_event=heard.append)
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert len([text for text in notes if text.startswith("the training takes about")]) == told
