"""Experiments on a folder whose results are written, not computed."""

from __future__ import annotations

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.experiments.effort import plan_for_budget
from imbsynth.engine.experiments.folder_protocol import ground_of, trial_on_folder
from imbsynth.engine.experiments.protocols import Protocol, Trial
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.folders import ImageFolder, scan
from imbsynth.store.records import write_json
from imbsynth.store.trials import PROTOCOL
from tests.conftest import MakeFolder

IMAGES = 20  # of each class in a fold
Right = dict[str, list[int]]  # by method and fold: images of each class that are named correctly


def protocol_for(folder: ImageFolder, config: ExperimentConfig) -> Protocol:
    """The protocol of a budget."""
    return ground_of(folder, config).protocol(plan_for_budget(config))


def written(make_folder: MakeFolder, right: Right) -> ExperimentConfig:
    """The config of an experiment, a dry run, on two classes in three folds with these results."""
    src = make_folder({"a": 3 * IMAGES, "b": 3 * IMAGES})
    config = ExperimentConfig(
        on=src, out=src.parent / "out", device="cpu", methods=tuple(right), dry_run=True
    )
    workspace = Workspace(protocol_for(scan(src), config), src, config.out, "cpu")
    config.out.mkdir()
    write_json(config.out / PROTOCOL, workspace.protocol.record())
    for method, folds in right.items():
        for fold, n in enumerate(folds):
            _write_trial(workspace, trial_on_folder(method, fold), n)
    return config


def _write_trial(workspace: Workspace, trial: Trial, right: int) -> None:
    answers = [[label] * right + [1 - label] * (IMAGES - right) for label in (0, 1)]
    path = workspace.target(trial)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "recipe": workspace.recipes.of(trial),
        "imbalanced_copy": {"counts": {"a": 2 * IMAGES, "b": 2 * IMAGES}},
        "tests": {"test": {"answers": answers}},
    }
    write_json(path, found)
