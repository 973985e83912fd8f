"""The trials of a grid: which are to do, and this process's share of them, one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, duration
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.trials import run_trial
from imbsynth.engine.experiments.workspace import Workspace

Spared = Callable[[], set[Trial]]  # the trials that need not be done, by what is known so far


def none_spared() -> set[Trial]:
    """Every trial is to be done."""
    return set()


def to_do(workspace: Workspace, spared: set[Trial]) -> list[Trial]:
    """The trials without a result that need one."""
    return [t for t in workspace.protocol.trials() if not workspace.is_done(t) and t not in spared]


def share_of(workspace: Workspace, config: ExperimentConfig) -> set[Trial]:
    """The trials that this process does, or has done."""
    which, count = config.shard
    return set(workspace.protocol.trials()[which - 1 :: count])


def run_trials(
    workspace: Workspace,
    config: ExperimentConfig,
    on_event: OnEvent,
    spared: Spared = none_spared,
    seconds: Mapping[str, float] | None = None,
) -> dict[str, str]:
    """Do this process's share, unless this is a dry run; where every trial stands then.

    seconds: about how long a trial of each method takes.
    """
    trials, own = workspace.protocol.trials(), share_of(workspace, config)
    made: set[Trial] = set()
    todo = [trial for trial in to_do(workspace, spared()) if trial in own]
    if todo and not config.dry_run:
        on_event(Started("training and evaluating", len(todo), "trials"))
        pace = Pace(todo, seconds or {}, on_event)

        def settled() -> int:
            return len(todo) - len(own.intersection(to_do(workspace, spared())))

        for trial in todo:
            over = spared()
            pace.before(trial, over)
            # Where trials of other processes are still to come, it is not known yet who is behind:
            # then the trial is made, and its result is not used if it need not have been.
            if trial not in over and run_trial(workspace, trial, settled, on_event, wait=False):
                made.add(trial)
                on_event(Advanced(settled(), trial.name))
        made |= _taken_up(workspace, own, spared, settled, on_event)
    over = spared()
    return {trial.name: _status(workspace, trial, own, made, over) for trial in trials}


def _taken_up(
    workspace: Workspace,
    own: set[Trial],
    spared: Spared,
    settled: Callable[[], int],
    on_event: OnEvent,
) -> set[Trial]:
    """Do what had to wait, and what other processes have left undone, because they were ended.

    A network that another process trains is waited for once nothing else is left. Nobody is waited
    for who does a whole trial: it stays with its process.
    """
    made: set[Trial] = set()
    wait = False
    while True:
        before = len(made)
        for trial in to_do(workspace, spared()):
            if trial in own and run_trial(workspace, trial, settled, on_event, wait=wait):
                made.add(trial)
        if len(made) == before and wait:
            return made
        wait = len(made) == before


def _status(
    workspace: Workspace, trial: Trial, own: set[Trial], made: set[Trial], spared: set[Trial]
) -> str:
    if trial in made:
        return "made now"
    if trial in spared:
        return "stopped"
    if workspace.is_done(trial):
        return "done"
    return "to do" if trial in own else "elsewhere"


class Pace:
    """Says after every fold how long the others take, at the speed of those that are done."""

    def __init__(self, todo: list[Trial], seconds: Mapping[str, float], on_event: OnEvent) -> None:
        self.todo, self.seconds, self.on_event = todo, seconds, on_event
        self.begun, self.expected, self.fold = time.monotonic(), 0.0, todo[0].seed

    def before(self, trial: Trial, spared: set[Trial]) -> None:
        """A trial begins, or would, if it is not spared."""
        if trial.seed != self.fold and self.expected:
            left = [t for t in self.todo[self.todo.index(trial) :] if t not in spared]
            slower = (time.monotonic() - self.begun) / self.expected
            rest = slower * sum(self.seconds[t.method] for t in left)
            self.on_event(Note(f"fold {self.fold + 1} is done; about {duration(rest)} are left"))
        self.fold = trial.seed
        if trial not in spared:
            self.expected += self.seconds.get(trial.method, 0.0)
