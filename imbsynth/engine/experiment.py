"""`experiment`: every cell of a protocol, each once, however many processes share the work."""

from __future__ import annotations

from dataclasses import dataclass

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.cells import Bench, run_cell
from imbsynth.engine.events import Advanced, OnEvent, Started, silent
from imbsynth.engine.protocols import Cell, Protocol, read_protocol
from imbsynth.errors import UserError
from imbsynth.store.outputs import claim, new_file
from imbsynth.store.records import PROTOCOL, read_json, write_json


@dataclass(frozen=True)
class Report:
    """What `experiment` prints."""

    cells: dict[str, str]  # name: "done", "made now", "elsewhere" (another shard's), or "to do"
    out: str


def run(config: ExperimentConfig, *, on_event: OnEvent = silent) -> Report:
    """Run what is not done yet of this process's share, and say where every cell stands."""
    protocol = read_protocol(config.protocol)
    bench = Bench(protocol, config.data, config.out, config.device)
    which, count = config.turn()
    cells = list(protocol.cells())
    own = {cell for index, cell in enumerate(cells) if index % count == which - 1}
    made: set[Cell] = set()
    if not config.dry_run:
        _check_folders(protocol, config)
        _keep_protocol(config, protocol)
        todo = [cell for cell in cells if cell in own and not bench.result(cell).exists()]
        on_event(Started("training and evaluating", len(todo), "cells"))
        for done, cell in enumerate(todo, 1):
            if run_cell(bench, cell, on_event):
                made.add(cell)
            on_event(Advanced(done, cell.name))
    statuses = {cell.name: _status(bench, cell, own, made) for cell in cells}
    return Report(statuses, config.out.as_posix())


def _status(bench: Bench, cell: Cell, own: set[Cell], made: set[Cell]) -> str:
    if cell in made:
        return "made now"
    if bench.result(cell).exists():
        return "done"
    return "to do" if cell in own else "elsewhere"


def _check_folders(protocol: Protocol, config: ExperimentConfig) -> None:
    """Raise UserError before hours of work, not after."""
    for name, source in protocol.sources.items():
        for folder in filter(None, source):
            if not (config.data / folder).is_dir():
                raise UserError(
                    f"{config.data / folder}: no such folder, which data set {name} needs",
                    "give the folder above the protocol's folders with --data",
                )


def _keep_protocol(config: ExperimentConfig, protocol: Protocol) -> None:
    """Put the protocol beside its results; UserError if the folder has those of another one."""
    target = config.out / PROTOCOL
    with claim(target):
        if not target.exists():
            with new_file(target) as part:
                write_json(part, protocol.record())
        elif read_json(target) != protocol.record():
            raise UserError(
                f"{config.out} holds the results of another protocol than {config.protocol}",
                "choose another folder with --out",
            )
