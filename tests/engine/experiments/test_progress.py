from __future__ import annotations

from imbsynth.engine.events import Advanced, EpochDone, Event, Note, Started
from imbsynth.engine.experiments.progress import WithinTrial


def test_the_trainings_of_a_trial_move_the_bar_of_all_trials() -> None:
    told: list[Event] = []
    listen = WithinTrial(told.append, before=3, trainings=2, name="folder/AOS/0")
    for event in (
        Started("reading images", 70),
        Advanced(35),
        Note("7 images were resized"),
        Started("training", 10, "steps"),
        Advanced(5, "epoch 1"),
        EpochDone(1, 2, {}, 1.0),
        Advanced(10, "epoch 2"),
        Started("generating", 50),
        Advanced(25),
        Started("training", 40, "steps"),
        Advanced(10, "epoch 1"),
        Advanced(40, "epoch 4"),
        Started("classifying", 9),
        Advanced(9),
    ):
        listen(event)
    assert told == [
        Note("7 images were resized"),
        Advanced(3.25, "folder/AOS/0  epoch 1"),
        Advanced(3.5, "folder/AOS/0  epoch 2"),
        Advanced(3.625, "folder/AOS/0  epoch 1"),
        Advanced(4.0, "folder/AOS/0  epoch 4"),
    ]


def test_a_training_more_than_foreseen_stays_within_the_trial() -> None:
    told: list[Event] = []
    listen = WithinTrial(told.append, before=0, trainings=1, name="t")
    for _ in range(2):
        listen(Started("training", 4, "steps"))
        listen(Advanced(4))
    assert told == [Advanced(1.0, "t"), Advanced(1.0, "t")]
