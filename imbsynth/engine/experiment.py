"""`experiment`: every trial of a protocol once, however many processes share the work."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, duration, silent
from imbsynth.engine.experiments.expected_time import expected_seconds
from imbsynth.engine.experiments.folder_protocol import protocol_for, warnings_for
from imbsynth.engine.experiments.protocol_files import read_protocol
from imbsynth.engine.experiments.protocols import MethodOptions, Protocol, Trial
from imbsynth.engine.experiments.sharing import wait_and_make
from imbsynth.engine.experiments.trials import check_trainable, run_trial, train_on_folder
from imbsynth.engine.experiments.verdict_pictures import check_pictures, write_pictures
from imbsynth.engine.experiments.verdicts import Verdict, verdicts, winner
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.grouping import check_list
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError, option
from imbsynth.options import recorded
from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, claim, new_file
from imbsynth.store.records import read_json, settings, write_json
from imbsynth.store.trials import PROTOCOL, lists_trials

# The options that decide a verdict.
ASKED = ("on", "out", "budget", "image_size", "groups", "group_pattern")
# Those kept beside the protocol.
MADE_BY = ("protocol", "data", "on", "budget", "image_size", "groups", "group_pattern")


@dataclass(frozen=True)
class Report:
    """Where every trial stands, and the verdict on a folder once all of its trials are done."""

    trials: dict[str, str]  # name: "done", "made now", "elsewhere" (another shard's), or "to do"
    cells: dict[str, str]  # the same, for scripts that know trials by their former name
    out: str
    verdicts: list[Verdict] = field(default_factory=list)  # of a folder
    counts: dict[str, int] = field(default_factory=dict)  # the folder's images by class
    pictures: list[str] = field(default_factory=list)  # of the verdict, as they were drawn now
    winner: str | None = None  # the method with the highest ACSA
    training: dict[str, Any] = field(default_factory=dict)  # its options, by the command's name
    asked: dict[str, Any] = field(
        default_factory=dict
    )  # of these options, those that are set: see ASKED
    checkpoint: str | None = None  # of the winner, trained on the whole folder


def run(config: ExperimentConfig, *, on_event: OnEvent = silent) -> Report:
    """Run what is not done yet of this process's share, and report where every trial stands."""
    if config.on is not None:
        return _on_folder(config, config.on, on_event)
    if config.protocol is None or config.data is None:
        raise TypeError("a config without a folder has a protocol and its data")
    protocol = read_protocol(config.protocol)
    _check_folders(protocol, config.data, config.out)
    workspace = Workspace(protocol, config.data, config.out, config.device)
    _prepare(workspace, config)
    trials = _run_trials(workspace, config, on_event)
    return Report(trials, trials, config.out.as_posix())


def _on_folder(config: ExperimentConfig, src: Path, on_event: OnEvent) -> Report:
    """Cross-validate every method on one folder, and give a verdict on each."""
    for target in filter(None, (config.out, config.train_winner)):
        check_apart(src, target)
    check_pictures(config.out)
    if config.train_winner is not None and not config.dry_run:
        check_trainable(src, config.train_winner)
    refuse_synthetic(src)
    folder = scan_regular(src)
    check_list(config, folder)
    workspace = Workspace(
        protocol_for(folder, config), src, config.out, config.device, config.grouping()
    )
    _prepare(workspace, config)
    _announce(workspace, folder, config, on_event)
    trials = _run_trials(workspace, config, on_event)
    if not all(workspace.is_done(trial) for trial in workspace.protocol.trials()):
        return Report(trials, trials, config.out.as_posix())
    protocol = workspace.protocol
    found = verdicts(config.out, protocol.methods, protocol.seeds, folder.counts)
    best = winner(found)
    pictures, checkpoint = [], None
    if not config.dry_run:
        pictures = [path.as_posix() for path in write_pictures(workspace, found)]
        if config.train_winner is not None:
            checkpoint = _train_winner(workspace, best, config.train_winner, on_event)
    return Report(
        trials,
        trials,
        config.out.as_posix(),
        verdicts=found,
        counts=folder.counts,
        pictures=pictures,
        winner=best,
        training=_options(protocol.methods[best]),
        asked={
            name: value
            for name, value in recorded(config).items()
            if name in ASKED and value is not None
        },
        checkpoint=checkpoint,
    )


def _train_winner(workspace: Workspace, method: str, out: Path, on_event: OnEvent) -> str:
    """Train the method on the whole folder, or resume that; the checkpoint."""
    on_event(Note(f"training {method} on the whole folder"))
    train_on_folder(workspace, method, out, on_event)
    return out.as_posix()


def _options(method: MethodOptions) -> dict[str, Any]:
    """The options of the commands that make a method, by the commands' names."""
    given = {"train-ae": method.ae, "generate": method.generate, "aos-train": method.train}
    return {command: options for command, options in given.items() if options is not None}


def _announce(
    workspace: Workspace, folder: ImageFolder, config: ExperimentConfig, on_event: OnEvent
) -> None:
    """If something is left to do: what to know of the folder, and how long it will take.

    Timing takes minutes, so trials that are only listed are not timed unless asked for.
    """
    trials = workspace.protocol.trials()
    todo = sum(not workspace.is_done(trial) for trial in trials)
    if not todo:
        return
    for warning in warnings_for(folder, config):
        on_event(Note(warning))
    if config.dry_run and not config.estimate:
        return
    on_event(Note("timing an epoch of the classifier and of the autoencoder"))
    seconds = expected_seconds(workspace, folder) * todo / len(trials)
    on_event(Note(f"{todo} trainings, about {duration(seconds)} if one process does them all"))


def _run_trials(
    workspace: Workspace, config: ExperimentConfig, on_event: OnEvent
) -> dict[str, str]:
    """Do this process's share, unless this is a dry run; where every trial stands then."""
    which, count = config.shard
    trials = workspace.protocol.trials()
    own = set(trials[which - 1 :: count])
    made: set[Trial] = set()
    todo = [trial for trial in trials if trial in own and not workspace.is_done(trial)]
    if todo and not config.dry_run:
        on_event(Started("training and evaluating", len(todo), "trials"))
        for done, trial in enumerate(todo, 1):
            if run_trial(workspace, trial, done - 1, on_event):
                made.add(trial)
            on_event(Advanced(done, trial.name))
    return {trial.name: _status(workspace, trial, own, made) for trial in trials}


def _status(workspace: Workspace, trial: Trial, own: set[Trial], made: set[Trial]) -> str:
    if trial in made:
        return "made now"
    if workspace.is_done(trial):
        return "done"
    return "to do" if trial in own else "elsewhere"


def _check_folders(protocol: Protocol, root: Path, out: Path) -> None:
    """Raise UserError before hours of work, not after."""
    for name, data in protocol.data.items():
        for folder in filter(None, data):
            if not (root / folder).is_dir():
                raise UserError(
                    f"{root / folder}: no such folder, which data set {name} needs",
                    f"give the folder above the protocol's folders with {option('data')}",
                )
            check_apart(root / folder, out)
            refuse_synthetic(root / folder)


def _prepare(workspace: Workspace, config: ExperimentConfig) -> None:
    """Put the protocol beside its results, if nothing else stands there."""
    _check_out(workspace.out)
    workspace.check_results()
    if not config.dry_run:
        made_by = {name: value for name, value in settings(config).items() if name in MADE_BY}
        record = {**workspace.protocol.record(), "asked": made_by}
        wait_and_make(lambda: _keep(workspace.out / PROTOCOL, record))


def _check_out(out: Path) -> None:
    """Raise UserError unless this is a folder of an experiment, an empty one, or none yet."""
    if not os.path.lexists(out):
        return
    if out.is_dir():
        found = sorted(path.name for path in out.iterdir() if path.name[0] != ".")
        if not found or (PROTOCOL in found and lists_trials(read_json(out / PROTOCOL))):
            return
        what = f"holds {listing(found)}, and no experiment"
    else:
        what = "is not a folder"
    raise UserError(f"{out} {what}", f"choose a new folder with {option('out')}")


def _keep(target: Path, record: dict[str, Any]) -> None:
    with claim(target):
        if not target.exists() or read_json(target) != record:
            with new_file(target) as part:
                write_json(part, record)
