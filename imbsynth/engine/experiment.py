"""`experiment`: every trial of a protocol once, however many processes share the work."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from imbsynth.configs import ASKED, ExperimentConfig
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.experiments.grid import run_trials, to_do
from imbsynth.engine.experiments.kept_protocol import keep_protocol
from imbsynth.engine.experiments.on_folder import Preparation, spared_trials
from imbsynth.engine.experiments.protocol_files import read_protocol
from imbsynth.engine.experiments.protocols import MethodOptions, Protocol
from imbsynth.engine.experiments.trials import check_trainable, train_on_folder
from imbsynth.engine.experiments.verdict_pictures import check_pictures, write_pictures
from imbsynth.engine.experiments.verdicts import Verdict, verdicts, winner
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.grouping import check_list
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError, option
from imbsynth.options import recorded
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart
from imbsynth.store.records import read_json
from imbsynth.store.trials import PROTOCOL, lists_trials


@dataclass(frozen=True)
class Report:
    """Where every trial stands, and the verdict on a folder once all of its trials are done."""

    # By name: "done", "made now", "stopped", "elsewhere" (another shard's) or "to do".
    trials: dict[str, str]
    cells: dict[str, str]  # the same, for scripts that know trials by their former name
    out: str
    verdicts: list[Verdict] = field(default_factory=list)  # of a folder
    counts: dict[str, int] = field(default_factory=dict)  # the folder's images by class
    pictures: list[str] = field(default_factory=list)  # of the verdict, as they were drawn now
    winner: str | None = None  # the method with the highest ACSA
    training: dict[str, Any] = field(default_factory=dict)  # its options, by the command's name
    # The options that decide the verdict, as far as they are set.
    asked: dict[str, Any] = field(default_factory=dict)
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
    _check_out(config.out)
    workspace.check_results()
    if not config.dry_run:
        keep_protocol(workspace, config)
    trials = run_trials(workspace, config, on_event)
    return Report(trials, trials, config.out.as_posix())


def _on_folder(config: ExperimentConfig, src: Path, on_event: OnEvent) -> Report:
    """Cross-validate methods on one folder, and give a verdict on each."""
    for target in filter(None, (config.out, config.train_winner)):
        check_apart(src, target)
    check_pictures(config.out)
    if config.train_winner is not None and not config.dry_run:
        check_trainable(src, config.train_winner)
    refuse_synthetic(src)
    folder = scan_regular(src)
    check_list(config, folder)
    _check_out(config.out)
    preparation = Preparation(folder, config, on_event)
    workspace = preparation.workspace()
    spared = partial(spared_trials, workspace, len(folder.counts))
    seconds = preparation.announce(workspace, spared())
    trials = run_trials(workspace, config, on_event, spared, seconds)
    report = Report(trials, trials, config.out.as_posix())
    if to_do(workspace, spared()):
        return report
    protocol = workspace.protocol
    found = verdicts(
        config.out, protocol.methods, protocol.seeds, folder.counts, stopping=protocol.stopping
    )
    best = winner(found)
    pictures, checkpoint = [], None
    if not config.dry_run:
        pictures = [path.as_posix() for path in write_pictures(workspace, found)]
        if config.train_winner is not None:
            checkpoint = _train_winner(workspace, best, config.train_winner, on_event)
    return replace(
        report,
        verdicts=found,
        counts=folder.counts,
        pictures=pictures,
        winner=best,
        training=_options(protocol.methods[best]),
        asked={
            name: str(value) if isinstance(value, Path) else value
            for name, value in recorded(config).items()
            if name in ("on", "out", *ASKED) and value not in (None, False)
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
    given = {
        "train-ae": method.ae,
        "train-generator": method.generator,
        "generate": method.generate,
        "aos-train": method.train,
    }
    return {command: options for command, options in given.items() if options is not None}


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
