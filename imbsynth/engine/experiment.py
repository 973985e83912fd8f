"""`experiment`: every cell of a protocol, each once, however many processes share the work."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.experiments.cells import Bench, made_for, patiently, run_cell
from imbsynth.engine.experiments.on_folder import expected_seconds, protocol_for, warnings_for
from imbsynth.engine.experiments.protocols import Cell, Protocol, read_protocol
from imbsynth.engine.experiments.verdicts import Verdict, verdicts
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.figures.charts import write_intervals, write_recalls
from imbsynth.store.folders import listing
from imbsynth.store.outputs import check_apart, claim, new_file
from imbsynth.store.records import (
    INTERVALS,
    PROTOCOL,
    RECALLS,
    RECONSTRUCTIONS,
    SAMPLES,
    read_json,
    write_json,
)


@dataclass(frozen=True)
class Report:
    """What `experiment` prints."""

    cells: dict[str, str]  # name: "done", "made now", "elsewhere" (another shard's), or "to do"
    out: str
    verdicts: list[Verdict] = field(default_factory=list)  # with --on, once every cell is done
    counts: dict[str, int] = field(default_factory=dict)  # likewise: the folder's images by class
    pictures: list[str] = field(default_factory=list)  # likewise


def run(config: ExperimentConfig, *, on_event: OnEvent = silent) -> Report:
    """Run what is not done yet of this process's share, and say where every cell stands."""
    if config.on is not None:
        return _on_folder(config, config.on, on_event)
    if config.protocol is None or config.data is None:
        raise TypeError("a config without a folder has a protocol and its data")
    protocol = read_protocol(config.protocol)
    _check_folders(protocol, config.data, config.out)
    bench = Bench(protocol, config.data, config.out, config.device)
    _prepare(bench, config)
    return Report(_run_cells(bench, config, on_event), config.out.as_posix())


def _on_folder(config: ExperimentConfig, src: Path, on_event: OnEvent) -> Report:
    """Cross-validate every method on one folder, and give a verdict on each."""
    check_apart(src, config.out)
    refuse_synthetic(src)
    folder = scan_regular(src)
    protocol = protocol_for(folder, config)
    bench = Bench(protocol, src, config.out, config.device)
    _prepare(bench, config)
    todo = sum(not bench.result(cell).exists() for cell in protocol.cells())
    if todo:
        for warning in warnings_for(folder):
            on_event(Note(warning))
        on_event(Note("timing an epoch of the classifier and of the autoencoder"))
        seconds = expected_seconds(bench, folder) * todo / len(list(protocol.cells()))
        on_event(Note(f"{todo} trainings, about {_duration(seconds)} of one such process"))
    cells = _run_cells(bench, config, on_event)
    if not all(bench.result(cell).exists() for cell in protocol.cells()):
        return Report(cells, config.out.as_posix())
    found = verdicts(bench, folder.counts)
    pictures = [path.as_posix() for path in _pictures(bench, found)]
    return Report(cells, config.out.as_posix(), found, folder.counts, pictures)


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _pictures(bench: Bench, found: list[Verdict]) -> list[Path]:
    """Draw the verdict, and put beside it what DeepSMOTE made in the first fold, if still there."""
    recalls, intervals = bench.out / RECALLS, bench.out / INTERVALS
    with claim(recalls), new_file(recalls) as part:
        write_recalls(part, {verdict.method: verdict.recalls for verdict in found})
    with claim(intervals), new_file(intervals) as part:
        scores = {verdict.method: (verdict.acsa, *verdict.interval) for verdict in found}
        write_intervals(part, scores, "ACSA and its 95 % interval")
    pictures = [intervals, recalls]
    cell = next(c for c in bench.protocol.cells() if bench.protocol.methods[c.method].ae)
    ae, folder = made_for(bench, cell)
    sheets = {RECONSTRUCTIONS: ae and ae.with_suffix(".png"), SAMPLES: folder / SAMPLES}
    for name, sheet in sheets.items():
        if sheet is not None and sheet.is_file():
            target = bench.out / name
            with claim(target), new_file(target) as part:
                shutil.copyfile(sheet, part)
            pictures.append(target)
    return pictures


def _run_cells(bench: Bench, config: ExperimentConfig, on_event: OnEvent) -> dict[str, str]:
    """Do this process's share, unless this is a dry run; where every cell stands then."""
    which, count = config.shard
    cells = list(bench.protocol.cells())
    own = {cell for index, cell in enumerate(cells) if index % count == which - 1}
    made: set[Cell] = set()
    todo = [cell for cell in cells if cell in own and not bench.result(cell).exists()]
    if todo and not config.dry_run:
        on_event(Started("training and evaluating", len(todo), "cells"))
        for done, cell in enumerate(todo, 1):
            if run_cell(bench, cell, on_event):
                made.add(cell)
            on_event(Advanced(done, cell.name))
    return {cell.name: _status(bench, cell, own, made) for cell in cells}


def _status(bench: Bench, cell: Cell, own: set[Cell], made: set[Cell]) -> str:
    if cell in made:
        return "made now"
    if bench.result(cell).exists():
        return "done"
    return "to do" if cell in own else "elsewhere"


def _check_folders(protocol: Protocol, root: Path, out: Path) -> None:
    """Raise UserError before hours of work, not after."""
    for name, source in protocol.sources.items():
        for folder in filter(None, source):
            if not (root / folder).is_dir():
                raise UserError(
                    f"{root / folder}: no such folder, which data set {name} needs",
                    "give the folder above the protocol's folders with --data",
                )
            check_apart(root / folder, out)


def _prepare(bench: Bench, config: ExperimentConfig) -> None:
    """Put the protocol beside its results, where nothing else is in the way."""
    _check_out(bench.out)
    bench.check_results()
    if not config.dry_run:
        patiently(lambda: _keep(bench.out / PROTOCOL, bench.protocol.record()))


def _check_out(out: Path) -> None:
    """Raise UserError for anything but a folder of ours, an empty one, or none yet."""
    if not os.path.lexists(out):
        return
    if out.is_dir():
        found = sorted(path.name for path in out.iterdir() if path.name[0] != ".")
        if not found or (PROTOCOL in found and "cells" in read_json(out / PROTOCOL)):
            return
        what = f"holds {listing(found)}, and no experiment"
    else:
        what = "is no folder"
    raise UserError(f"{out} {what}", "choose a new folder with --out")


def _keep(target: Path, record: dict[str, Any]) -> None:
    with claim(target):
        if not target.exists() or read_json(target) != record:
            with new_file(target) as part:
                write_json(part, record)
