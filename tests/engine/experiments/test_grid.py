from __future__ import annotations

from imbsynth.engine.events import Event, Note
from imbsynth.engine.experiments.folder_protocol import trial_on_folder
from imbsynth.engine.experiments.grid import Pace

TODO = [trial_on_folder(method, fold) for fold in range(3) for method in ("plain", "AOS")]


def notes(seconds: dict[str, float]) -> list[str]:
    """What is said where every trial takes no time, and AOS is spared the last fold."""
    told: list[Event] = []
    pace = Pace(TODO, seconds, told.append)
    for trial in TODO:
        pace.before(trial, {TODO[-1]})
    return [event.text for event in told if isinstance(event, Note)]


def test_after_every_fold_it_is_said_how_long_the_others_take() -> None:
    said = notes({"plain": 30.0, "AOS": 60.0})
    assert said == [f"fold {n} is done; about 0 seconds are left" for n in (1, 2)]


def test_nothing_is_said_where_nothing_was_measured() -> None:
    assert notes({}) == []
