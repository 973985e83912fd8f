"""The loop that every training shares: steps, events, interruption, and the state saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imbsynth.engine.events import Advanced, EpochDone, Note, OnEvent, Started, duration
from imbsynth.engine.time_left import TimeLeft
from imbsynth.engine.training.clock import Every
from imbsynth.engine.training.trainer import Trainer
from imbsynth.errors import ProcessLost, UserError, option
from imbsynth.runtime import stop_request
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.training_files import TrainingFiles

SAVE_EVERY = 60.0  # seconds between the states from which a run can be resumed
# The time left is estimated after more seconds and steps than these, the first step not counted.
ESTIMATE_SECONDS, ESTIMATE_STEPS = 10.0, 5
LONG = 600.0  # seconds of a run whose length is said at its beginning
SHOW_EVERY = 0.5  # seconds between two looks at the losses, which on CUDA wait for the device


def train(
    trainer: Trainer[Any],
    files: TrainingFiles,
    made_by: dict[str, Any],
    on_event: OnEvent,
    *,
    resume: bool,
) -> None:
    """Take steps until the run is over, saving the state now and then and when interrupted.

    With `resume`, from the saved state if there is one. Leaves the last state and the log. A run
    whose numbers are no longer finite ends with the state of its last whole epoch saved.
    """
    if resume:
        _restore(trainer, files, made_by, on_event)
    files.start_tracking(made_by)
    guard = _Guard(trainer, files, made_by)
    saving, showing = Every(SAVE_EVERY), Every(SHOW_EVERY)
    total = trainer.epochs * trainer.task.steps
    time_left = TimeLeft(ESTIMATE_SECONDS, ESTIMATE_STEPS)

    def between_steps() -> None:
        if showing.due():
            on_event(_progress(trainer))
        left = time_left.once(trainer.place.done, total)
        if left is not None and left > LONG:
            on_event(Note(_cost(left)))
        if saving.due():
            guard.save()
        request.check(guard.save)

    with stop_request() as request, guard.rescuing():
        on_event(Started("training", total, "steps"))
        while not trainer.over:
            trainer.clock.start()
            for batch in trainer.batches():
                trainer.take_step(batch)
                between_steps()
            guard.check()
            line = trainer.end_epoch()
            guard.check_scores()
            guard.keep()
            guard.draw()
            on_event(_done(trainer, line))
        files.save_state(trainer.state(), made_by)  # so that nothing after this can lose the run
        request.check(lambda: None)


def _restore(
    trainer: Trainer[Any], files: TrainingFiles, made_by: dict[str, Any], on_event: OnEvent
) -> None:
    """Return to the saved state, if there is one."""
    state = trainer.task.world.told(lambda: files.load_state(made_by))
    if state is None:
        return
    trainer.restore(files.state, state)
    place = trainer.place
    on_event(Note(f"resuming after {place.words}"))
    changed = files.conditions_changed(state, made_by)
    if changed:
        on_event(Note(f"the run was begun with {'; '.join(changed)}: results may differ"))


class _Guard:
    """Lets only finite states be saved, and holds the last one that ended an epoch."""

    def __init__(
        self, trainer: Trainer[Any], files: TrainingFiles, made_by: dict[str, Any]
    ) -> None:
        self.trainer, self.files, self.made_by = trainer, files, made_by
        self.good: Checkpoint | None = None
        self.saved = trainer.place.done  # steps that the state on the disk has behind it
        if trainer.history:
            self.keep()

    def keep(self) -> None:
        """Hold the present state, in the computer's memory."""
        state = self.trainer.state()
        tensors = {name: value.detach().cpu().clone() for name, value in state.tensors.items()}
        self.good = Checkpoint(tensors, {**state.meta, "history": list(state.meta["history"])})

    def check(self) -> None:
        """Raise UserError, after saving the last good state, if numbers are not finite."""
        if not self.trainer.finite:
            raise self._diverged("the loss is", len(self.trainer.history))

    def check_scores(self) -> None:
        """The same for the scores of an epoch that has just ended."""
        if not self.trainer.validated:
            what = "the outputs for the validation images are"
            raise self._diverged(what, len(self.trainer.history) - 1)

    def _diverged(self, what: str, epochs: int) -> UserError:
        """The error, once the last good state is saved; epochs: how many were good."""
        problem = f"{what} no longer finite in epoch {epochs + 1}"
        fix = f"lower {option('lr')} (it is {self.trainer.optimisation.lr:g})"
        if self.good is not None:
            self.files.save_state(self.good, self.made_by)
            problem += f"; the state after epoch {epochs} is kept"
            fix += f" and start again with {option('force')}"
        return UserError(problem, fix)

    def draw(self) -> None:
        """Draw the pictures if that is due; the state first, so that both are of one run."""
        write = self.trainer.task.sheet(self.trainer.history)
        if write is not None:
            self.save()
            self.files.write_sheet(write)

    def save(self) -> None:
        """Write the state, if it is finite."""
        self.check()
        self.files.save_state(self.trainer.state(), self.made_by)
        self.saved = self.trainer.place.done

    @contextmanager
    def rescuing(self) -> Iterator[None]:
        """Save the last epoch where another process has ended: the present one is half a step."""
        try:
            yield
        except ProcessLost:
            epochs = 0 if self.good is None else len(self.good.meta["history"])
            if self.good is not None and epochs * self.trainer.task.steps > self.saved:
                self.files.save_state(self.good, self.made_by)
            raise


def _cost(seconds: float) -> str:
    return (
        f"the training takes about {duration(seconds)} here, if no plateau ends it; fewer epochs "
        "or smaller images take less"
    )


def _done(trainer: Trainer[Any], line: dict[str, Any]) -> EpochDone:
    losses = {name: line[name] for name in trainer.task.losses}
    return EpochDone(line["epoch"], trainer.epochs, losses, line["images_per_second"])


def _progress(trainer: Trainer[Any]) -> Advanced:
    parts = [
        f"{name.removesuffix('_loss')} {value:.5f}"
        for name, value in trainer.mean_losses().items()
        if value  # 0: of another stage
    ]
    place = trainer.place
    return Advanced(place.done, "  ".join([f"epoch {place.epoch + 1}", *parts]))
