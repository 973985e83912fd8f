"""The pictures that go with the verdict on a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from imbsynth.engine.experiments.verdicts import Verdict
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.figures.confusion import write_recalls
from imbsynth.figures.intervals import write_intervals
from imbsynth.store.outputs import claim, new_file
from imbsynth.store.records import INTERVALS, RECALLS, RECONSTRUCTIONS, SAMPLES


def write_pictures(workspace: Workspace, found: list[Verdict]) -> list[Path]:
    """Draw the verdict, and copy what DeepSMOTE made in the first fold, if it still exists."""
    recalls, intervals = workspace.out / RECALLS, workspace.out / INTERVALS
    with claim(recalls), new_file(recalls) as part:
        write_recalls(part, {verdict.method: verdict.recalls for verdict in found})
    with claim(intervals), new_file(intervals) as part:
        scores = {verdict.method: (verdict.acsa, *verdict.interval) for verdict in found}
        write_intervals(part, scores, "ACSA and its 95 % interval")
    pictures = [intervals, recalls]
    for name, sheet in _sheets(workspace).items():
        if sheet.is_file():
            target = workspace.out / name
            with claim(target), new_file(target) as part:
                shutil.copyfile(sheet, part)
            pictures.append(target)
    return pictures


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
