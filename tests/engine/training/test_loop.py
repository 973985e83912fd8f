from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.configs import TrainAeConfig
from imbsynth.engine import train_ae
from imbsynth.engine.events import Event, Note
from imbsynth.engine.training import loop
from tests.conftest import MakeFolder


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
