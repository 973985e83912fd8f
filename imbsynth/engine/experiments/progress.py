"""The progress of the commands within a trial, as a part of one trial of many."""

from __future__ import annotations

from imbsynth.engine.events import Advanced, Event, Note, OnEvent, Started

STEPS = "steps"  # the unit of training, which takes nearly all the time


class WithinTrial:
    """Passes notes on, and turns the steps of a trial's trainings into shares of the trial."""

    def __init__(self, on_event: OnEvent, before: int, trainings: int, name: str) -> None:
        """before: trials done; trainings: those of this one, each taken to be equally long."""
        self.on_event, self.before, self.name = on_event, before, name
        self.trainings, self.begun, self.steps = trainings, 0, 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            self.on_event(event)
        elif isinstance(event, Started):
            training = event.unit == STEPS
            self.begun, self.steps = self.begun + training, event.total if training else 0
        elif isinstance(event, Advanced) and self.steps:
            share = (min(self.begun, self.trainings) - 1 + event.done / self.steps) / self.trainings
            self.on_event(Advanced(self.before + share, f"{self.name}  {event.detail}".rstrip()))
