"""What is done on one folder: its plan and its workspace, how long it takes, what is spared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from time import perf_counter

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.events import Note, OnEvent, duration
from imbsynth.engine.experiments.answers import read_answers, spared
from imbsynth.engine.experiments.effort import (
    LADDER,
    ExperimentPlan,
    asked_methods,
    plan_for_budget,
)
from imbsynth.engine.experiments.expected_time import Speed, measured
from imbsynth.engine.experiments.folder_protocol import Ground, ground_of, warnings_for
from imbsynth.engine.experiments.grid import share_of, to_do
from imbsynth.engine.experiments.kept_protocol import keep_protocol, kept_plan, write_protocol
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.time_limits import choice, plan_within
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.folders import ImageFolder
from imbsynth.store.outputs import claim
from imbsynth.store.sharing import wait_and_make
from imbsynth.store.trials import PROTOCOL


class Preparation:
    """A folder before its first trial."""

    def __init__(self, folder: ImageFolder, config: ExperimentConfig, on_event: OnEvent) -> None:
        """Raises UserError if the folder cannot be cross-validated."""
        self.config, self.on_event = config, on_event
        self.ground: Ground = ground_of(folder, config)
        self.speed: Speed | None = None  # None: not measured yet

    def workspace(self) -> Workspace:
        """Where the trials are carried out, with the protocol in it unless this is a dry run."""
        plan = plan_for_budget(self.config) if self.config.time is None else kept_plan(self.config)
        if plan is None:
            return self._within_time()
        workspace = self._workspace(plan)
        workspace.check_results()
        if not self.config.dry_run:
            keep_protocol(workspace, self.config, None if self.config.time is None else plan)
        return workspace

    def announce(self, workspace: Workspace, spared: set[Trial]) -> Mapping[str, float]:
        """If this process has something to do: what to know of the folder, and how long it takes.

        Returns the seconds of a trial by method; empty where they are not needed. Timing takes
        minutes, so trials that are only listed are not timed unless asked for.
        """
        todo = to_do(workspace, spared)
        if not share_of(workspace, self.config).intersection(todo):
            return {}
        for warning in warnings_for(self.ground.folder, self.config):
            self.on_event(Note(warning))
        if self.config.dry_run and not self.config.estimate:
            return {}
        methods = {trial.method for trial in todo}
        seconds = self._measured(workspace, methods).seconds(workspace.protocol)
        total = duration(sum(seconds[trial.method] for trial in todo))
        trials = f"{len(todo)} trials" if len(todo) > 1 else "1 trial"
        self.on_event(Note(f"{trials}, about {total} if one process does them all"))
        return seconds

    def _workspace(self, plan: ExperimentPlan) -> Workspace:
        config, ground = self.config, self.ground
        protocol = ground.protocol(plan)
        return Workspace(protocol, ground.folder.root, config.out, config.device, config.grouping())

    def _measured(self, workspace: Workspace, methods: Collection[str]) -> Speed:
        if self.speed is None:
            self.on_event(Note("timing a short trial of each method"))
            self.speed = measured(workspace, methods)
        return self.speed

    def _within_time(self) -> Workspace:
        """Choose a plan by the speed, unless another process does or has done so."""
        if self.config.dry_run:
            return self._workspace(self._chosen())
        found: list[Workspace] = []

        def choose() -> None:
            with claim(self.config.out / PROTOCOL):
                plan = kept_plan(self.config) or self._chosen()
                workspace = self._workspace(plan)
                workspace.check_results()
                write_protocol(workspace, self.config, plan)
                found.append(workspace)

        wait_and_make(choose)
        return found[0]

    def _chosen(self) -> ExperimentPlan:
        begun, limit = perf_counter(), self.config.time or 0
        wanted = asked_methods(self.config)
        speed = self._measured(self._workspace(ExperimentPlan(LADDER[0], wanted)), wanted)
        plan = plan_within(limit, perf_counter() - begun, self.ground, wanted, speed)
        self.on_event(Note(choice(self.ground, plan, wanted, limit)))
        return plan


def spared_trials(workspace: Workspace, classes: int) -> set[Trial]:
    """The trials of methods that are surely behind, in the folds after that was clear."""
    protocol = workspace.protocol
    if not protocol.stopping:
        return set()
    answers = read_answers(workspace.out, protocol.methods, protocol.seeds, classes)
    return spared(answers, protocol.seeds)
