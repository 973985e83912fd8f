"""The curves of a classifier's training: loss, scores, and the recall of each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from imbsynth.configs import AosTrainConfig
from imbsynth.core.metric_table import METRICS
from imbsynth.engine.training import validation
from imbsynth.engine.training.keeper import kept_of
from imbsynth.engine.training.task import History
from imbsynth.figures.curves import write_curves


def draw_curves(
    path: Path, history: History, counts: Mapping[str, int], config: AosTrainConfig
) -> None:
    """Draw them into a PNG file, the classes with most training images first.

    counts: real training images by class.
    """
    names = list(counts)
    order = sorted(range(len(names)), key=lambda k: -counts[names[k]])
    before = ", before the head is trained again" if config.head_epochs else ""
    write_curves(
        path,
        {
            "loss": {
                f"training: {config.loss}": [line["loss"] for line in history],
                "validation: cross-entropy, classes equally weighted": [
                    line["val_loss"] for line in history
                ],
            },
            f"validation scores{before}": {
                METRICS[name].title: [line[name] for line in history] for name in validation.SCORES
            },
        },
        np.array([line["recalls"] for line in history])[:, order],
        [f"{names[k]} ({counts[names[k]]})" for k in order],
        kept_of(history, config.keep)["epoch"],
    )
