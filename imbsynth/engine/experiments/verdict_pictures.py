"""The pictures that go with the verdict on a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imbsynth.engine.experiments.verdicts import Verdict
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.figures.confusion import write_recalls
from imbsynth.figures.intervals import write_intervals
from imbsynth.store.outputs import claim, new_file
from imbsynth.store.pictures import check_ours
from imbsynth.store.records import INTERVALS, RECALLS, RECONSTRUCTIONS, SAMPLES


def check_pictures(out: Path) -> None:
    """Raise UserError if a picture of somebody else stands where one of the verdict goes."""
    for name in (INTERVALS, RECALLS, RECONSTRUCTIONS, SAMPLES):
        check_ours(out / name)


def write_pictures(workspace: Workspace, found: list[Verdict]) -> list[Path]:
    """Draw the verdict, and copy what DeepSMOTE made in the first fold, if it still exists."""
    recalls, intervals = workspace.out / RECALLS, workspace.out / INTERVALS
    with _replaced(recalls) as part:
        write_recalls(part, {verdict.method: verdict.recalls for verdict in found})
    with _replaced(intervals) as part:
        scores = {verdict.method: (verdict.acsa, *verdict.interval) for verdict in found}
        write_intervals(part, scores, "ACSA and its 95 % interval")
    pictures = [intervals, recalls]
    for name, sheet in _sheets(workspace).items():
        if sheet.is_file():
            target = workspace.out / name
            with _replaced(target) as part:
                shutil.copyfile(sheet, part)
            pictures.append(target)
    return pictures


@contextmanager
def _replaced(picture: Path) -> Iterator[Path]:
    """A path to write, which becomes the picture; UserError if one of somebody else is there."""
    with claim(picture):
        check_ours(picture)
        with new_file(picture) as part:
            yield part


def _sheets(workspace: Workspace) -> dict[str, Path]:
    """Where the first trial with an autoencoder left its contact sheets, by their new names."""
    protocol = workspace.protocol
    encoded = [t for t in protocol.trials() if protocol.methods[t.method].ae is not None]
    if not encoded:
        return {}
    trial = encoded[0]
    sheets = {SAMPLES: workspace.generated(trial) / SAMPLES}
    ae = workspace.autoencoder(trial)
    return sheets if ae is None else {RECONSTRUCTIONS: ae.with_suffix(".png"), **sheets}
