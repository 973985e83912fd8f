"""One trial: a chain of commands, imbalance to evaluate, whose result is one JSON file.

What trials share (an imbalanced copy of a data set, its parts, an autoencoder, a generated folder)
is made once, by the first process that needs it; the others do other trials, or wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imbsynth import __version__
from imbsynth.configs import (
    AosTrainConfig,
    EvaluateConfig,
    GenerateConfig,
    ImbalanceConfig,
    SplitConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.core import profiles
from imbsynth.engine import (
    aos_train,
    evaluate,
    generate,
    imbalance,
    split,
    train_ae,
    train_generator,
)
from imbsynth.engine.events import OnEvent
from imbsynth.engine.experiments.folder_protocol import trial_on_folder
from imbsynth.engine.experiments.progress import WithinTrial
from imbsynth.engine.experiments.protocol_options import Options
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import Busy, UserError
from imbsynth.store.outputs import RECORD, claim, new_file
from imbsynth.store.sharing import is_claimed, make_once, wait_and_make
from imbsynth.store.training_files import TrainingFiles
from imbsynth.store.trials import WORK, write_trial


def run_trial(
    workspace: Workspace,
    trial: Trial,
    settled: Callable[[], int],
    on_event: OnEvent,
    *,
    wait: bool = True,
) -> bool:
    """Train and evaluate; False if another process is doing this trial or has done it.

    settled: counts the trials that need nothing more, for the progress. wait: for a network that
    another process is training; else False.
    """
    target = workspace.target(trial)
    if workspace.is_done(trial) or not (wait or _can_begin(workspace, trial)):
        return False
    try:
        with claim(target):
            if workspace.is_done(trial):
                return False
            trainings = 1 + len(_untrained(workspace, trial))
            listener = WithinTrial(on_event, settled(), trainings, trial.name)
            result = carry_out(workspace, trial, listener)
            with new_file(target) as part:
                write_trial(part, result)
    except Busy:
        return False
    return True


def _untrained(workspace: Workspace, trial: Trial) -> list[Path]:
    """The networks that the trial needs and that are not there yet."""
    networks = (workspace.autoencoder(trial), workspace.generator(trial))
    return [path for path in networks if path is not None and not path.exists()]


def _can_begin(workspace: Workspace, trial: Trial) -> bool:
    """Whether nothing that the trial needs is being trained by another process."""
    return not any(
        network.parent.is_dir() and is_claimed(network) for network in _untrained(workspace, trial)
    )


def carry_out(workspace: Workspace, trial: Trial, on_event: OnEvent) -> dict[str, Any]:
    """Run the commands that the trial asks for; what its file holds."""
    protocol = workspace.protocol
    _check_links(workspace, trial)
    pool, test = _pool_and_test(workspace, trial, on_event)
    place = workspace.shared(trial) / "rare"
    rare = _copy(pool, place, protocol.imbalances[trial.imbalance], trial, on_event)
    trained = _train(workspace, trial, rare, workspace.classifier(trial), on_event)
    scores = {}
    for name, options in protocol.tests.items():
        folder = _copy(test, workspace.test_copy(trial, name), options, trial, on_event)
        config = EvaluateConfig(
            checkpoint=workspace.classifier(trial), src=folder, device=workspace.device
        )
        report, answers = evaluate.run_with_answers(config, on_event=on_event)
        scores[name] = {**_without(asdict(report), "out", "checkpoint"), "answers": answers}
    return {
        "trial": trial._asdict(),
        "recipe": workspace.recipes.of(trial),
        "imbsynth": __version__,
        "imbalanced_copy": _sizes(rare),
        "tests": scores,
        "training": _without(asdict(trained), "checkpoint", "log", "curves"),
    }


def _check_links(workspace: Workspace, trial: Trial) -> None:
    """Raise UserError if copies made for the trial link to where the images were before.

    The first file of a copy stands for all.
    """
    shared, tests = workspace.shared(trial), workspace.protocol.tests
    copies = [workspace.folds(trial), shared / "rare", shared / "parts"]
    for folder in [*copies, *(workspace.test_copy(trial, name) for name in tests)]:
        files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
        first = next((path for path in files if path.name != RECORD), None)
        if first is not None and not first.exists():
            work = workspace.out / WORK
            raise UserError(
                f"{folder} links to images that are no longer where they were",
                f"move them back, or remove {work}: what is in it is made again",
            )


def check_trainable(src: Path, out: Path) -> None:
    """Raise UserError, before hours of work, if the winner's checkpoint could not be written."""
    files = TrainingFiles(AosTrainConfig(src=src, out=out), frozenset())
    with files.claimed(resume=True, force=False):
        pass


def train_on_folder(workspace: Workspace, method: str, out: Path, on_event: OnEvent) -> None:
    """Train a method on the whole folder that was cross-validated, as its trials were trained."""
    trial = trial_on_folder(method, len(workspace.protocol.seeds))  # beside those of folds
    _check_links(workspace, trial)
    _train(
        workspace, trial, workspace.root / workspace.protocol.data[trial.data].train, out, on_event
    )


def _train(
    workspace: Workspace, trial: Trial, rare: Path, out: Path, on_event: OnEvent
) -> aos_train.Report:
    """Train the classifier on a part of the imbalanced copy, or on what is generated from it."""
    parts = _parts(workspace, trial, rare, on_event)
    source = parts / "train"
    if workspace.protocol.methods[trial.method].generate is not None:
        source = _generated(workspace, trial, source, on_event)
    config = classifier_config(workspace, trial, source, parts / "test", out)
    return aos_train.run(config, on_event=on_event)


def classifier_config(
    workspace: Workspace, trial: Trial, src: Path, val: Path, out: Path
) -> AosTrainConfig:
    """How the trial's classifier is trained on a folder."""
    return AosTrainConfig(
        src=src,
        out=out,
        val=val,
        seed=trial.seed,
        device=workspace.device,
        resume=True,
        **workspace.protocol.methods[trial.method].training(trial.imbalance),
    )


def _without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def _sizes(rare: Path) -> dict[str, Any]:
    """How imbalanced the copy is that is split into training and validation images."""
    counts = scan_regular(rare).counts
    return {"counts": counts, "rho": profiles.rho(counts), "mu": profiles.mu(counts)}


def _pool_and_test(workspace: Workspace, trial: Trial, on_event: OnEvent) -> tuple[Path, Path]:
    """The folders to train on and to test on: those of the data set, or a fold of one."""
    protocol, data = workspace.protocol, workspace.protocol.data[trial.data]
    train = workspace.root / data.train
    if protocol.folds is None:
        return train, workspace.root / str(data.test)
    config = SplitConfig(
        src=train,
        dst=workspace.folds(trial),
        folds=protocol.folds,
        link="symbolic",
        **workspace.grouping,
    )
    folds = _folder_made_once(config.dst, lambda: split.run_on_part(config, on_event=on_event))
    fold = folds / f"fold-{trial.seed % protocol.folds + 1}"
    return fold / "train", fold / "test"


def _copy(src: Path, dst: Path, options: Options, trial: Trial, on_event: OnEvent) -> Path:
    """An imbalanced copy of the folder; without options the folder itself."""
    if not options:
        return src
    given: Options = {"link": "symbolic", **options}
    config = ImbalanceConfig(src=src, dst=dst, seed=trial.seed, **given)
    return _folder_made_once(dst, lambda: imbalance.run(config, on_event=on_event))


def _parts(workspace: Workspace, trial: Trial, src: Path, on_event: OnEvent) -> Path:
    """The folders `train` and `test` (for validation), the same for all methods."""
    fraction = workspace.protocol.val_fraction
    config = SplitConfig(
        src=src,
        dst=workspace.shared(trial) / "parts",
        fractions=(1 - fraction, fraction),
        link="symbolic",
        seed=trial.seed,
        **workspace.grouping,
    )
    return _folder_made_once(config.dst, lambda: split.run_on_part(config, on_event=on_event))


def _generated(workspace: Workspace, trial: Trial, source: Path, on_event: OnEvent) -> Path:
    """The folder that `generate` makes for the method."""
    method = workspace.protocol.methods[trial.method]
    common: Options = {"src": source, "seed": trial.seed, "device": workspace.device}
    ae, dst = workspace.autoencoder(trial), workspace.generated(trial)
    if ae is not None and not ae.exists():
        training = TrainAeConfig(out=ae, resume=True, **common, **(method.ae or {}))
        wait_and_make(lambda: train_ae.run(training, on_event=on_event))
    generator = workspace.generator(trial)
    if generator is not None and not generator.exists():
        learning = TrainGeneratorConfig(
            out=generator, resume=True, **common, **(method.generator or {})
        )
        wait_and_make(lambda: train_generator.run(learning, on_event=on_event))
    config = GenerateConfig(
        dst=dst, ae=ae, generator=generator, **common, **(method.generate or {})
    )
    return _folder_made_once(dst, lambda: generate.run(config, on_event=on_event))


def _folder_made_once(folder: Path, make: Callable[[], object]) -> Path:
    """The output folder of a command, made by this process or by another."""
    make_once(folder / RECORD, make)
    return folder
