"""The numbers of a training run in an experiment tracker: Weights & Biases, or MLflow.

Where they go is up to the tracker and its environment variables: WANDB_MODE, WANDB_PROJECT,
WANDB_DIR; MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Protocol

from imbsynth.errors import UserError, option
from imbsynth.extras import check_extra
from imbsynth.store.event_files import scalars
from imbsynth.store.fields import mapping, text, whole

PROJECT = "imbsynth"  # or MLflow's experiment, where the environment names none
LONGEST = 500  # characters of a parameter: what older servers of MLflow take
_KEY = "tracked"  # in the header of a run's state


class _Tracker(Protocol):
    run: str  # by which the tracker finds the run again

    def log(self, numbers: Mapping[str, float], *, epoch: int, seconds: float) -> None:
        """Add the numbers of an epoch; seconds: of training, up to its end."""

    def close(self, *, complete: bool) -> None:
        """Send what is left; a run that is not complete may be resumed."""


class _Wandb:
    """A run of Weights & Biases."""

    def __init__(self, name: str, settings: Mapping[str, Any], run: str | None) -> None:
        import wandb

        with _explained("wandb", wandb.errors.Error):
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                name=name,
                id=run,
                resume=None if run is None else "allow",
                config=dict(settings),
                settings=wandb.Settings(console="off", silent=True),
            )
        self.run: str = self._run.id

    def log(self, numbers: Mapping[str, float], *, epoch: int, seconds: float) -> None:
        self._run.log(dict(numbers), step=epoch)

    def close(self, *, complete: bool) -> None:
        self._run.finish(exit_code=0 if complete else 1)


class _Mlflow:
    """A run of MLflow; by its client, so that a notebook's own active run is left alone."""

    def __init__(self, name: str, settings: Mapping[str, Any], run: str | None) -> None:
        from mlflow.entities import Param
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        self._errors = MlflowException
        with _explained("mlflow", self._errors):
            self._client = MlflowClient()
            if run is None:
                found = self._client.create_run(self._experiment(), run_name=name)
                given = [Param(key, str(value)[:LONGEST]) for key, value in settings.items()]
                self._client.log_batch(found.info.run_id, params=given)
            else:
                self._client.update_run(run, status="RUNNING")
                found = self._client.get_run(run)
        self.run: str = found.info.run_id
        self._start: int = found.info.start_time  # milliseconds

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)

    def log(self, numbers: Mapping[str, float], *, epoch: int, seconds: float) -> None:
        from mlflow.entities import Metric

        time = self._start + round(1000 * seconds)
        metrics = [Metric(name, value, time, epoch) for name, value in numbers.items()]
        with _explained("mlflow", self._errors):
            self._client.log_batch(self.run, metrics=metrics)

    def close(self, *, complete: bool) -> None:
        with _explained("mlflow", self._errors):
            self._client.set_terminated(self.run, "FINISHED" if complete else "KILLED")


_KINDS: dict[str, Callable[..., _Tracker]] = {"wandb": _Wandb, "mlflow": _Mlflow}


class Tracking:
    """A run in a tracker, which is told of every epoch at most once.

    Which epochs it has been told of is kept in the state of the run, before it is told: a run that
    is resumed continues in the tracker where it stopped.
    """

    def __init__(
        self, tracker: str, name: str, settings: Mapping[str, Any], state: Mapping[str, Any]
    ) -> None:
        """state: the header of the run's state, {} for a new run; Wrong if it is damaged.

        settings: the options of the run. Raises UserError if the tracker does not answer.
        """
        self.name, self.epochs, run = tracker, 0, None
        before = mapping(state, _KEY) if _KEY in state else {}
        if before and text(before, "tracker") == tracker:
            run, self.epochs = text(before, "run"), whole(before, "epochs", 0)
        self._tracker = _KINDS[tracker](name, settings, run)

    def header(self, history: Sequence[Any]) -> dict[str, Any]:
        """What the state of the run keeps, when `send` is to follow with the same history."""
        epochs = max(self.epochs, len(history))
        return {_KEY: {"tracker": self.name, "run": self._tracker.run, "epochs": epochs}}

    def send(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Tell of the epochs that are new; history: the lines of a log, from the first epoch on."""
        seconds = 0.0
        for number, line in enumerate(history, 1):
            seconds += line["seconds"]
            if number > self.epochs:
                self._tracker.log(scalars(line), epoch=line["epoch"], seconds=seconds)
        self.epochs = max(self.epochs, len(history))

    def close(self, *, complete: bool) -> None:
        """End the run in the tracker; UserError if the tracker does not answer.

        Not for a run that is not complete: what has stopped it must be said, not this.
        """
        with nullcontext() if complete else suppress(UserError):
            self._tracker.close(complete=complete)


def check_tracker(tracker: str) -> None:
    """Raise UserError unless the package of a tracker is installed."""
    instead = f"leave out {option('track')}"
    check_extra(tracker, [tracker], asked=f"{option('track')} {tracker}", instead=instead)


@contextmanager
def _explained(tracker: str, kind: type[Exception]) -> Iterator[None]:
    """What a tracker raises, as UserError."""
    try:
        yield
    except kind as error:
        raise UserError(
            f"{option('track')} {tracker}: {(str(error) or 'no answer').splitlines()[0]}",
            f"see that it can be reached and is set up, or leave out {option('track')}",
        ) from None
