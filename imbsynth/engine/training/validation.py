"""Scores on real images that are never trained on: they choose the epoch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core import metrics
from imbsynth.core.pixels import PixelRows, network_input
from imbsynth.engine.training.history import is_number
from imbsynth.engine.training.task import History

AT_ONCE = 1000  # images
SCORES = ("f1_macro", "acsa", "g_mean")
NUMBERS = (*SCORES, "val_loss")  # of every epoch


class Validation(NamedTuple):
    """Images that choose the epoch."""

    pixels: PixelRows  # (n, c, h, w)
    labels: NDArray[np.int64]  # (n,)

    def scores(self, logits: NDArray[np.float32]) -> dict[str, Any]:
        """What the log says about an epoch: `NUMBERS`, and the recall of each class.

        logits: (n, k), of these images.
        """
        found = torch.from_numpy(logits).softmax(1).numpy()
        confusion = metrics.confusion_matrix(self.labels, found.argmax(1), found.shape[1])
        scores: dict[str, Any] = {name: float(metrics.SCORES[name](confusion)) for name in SCORES}
        scores["val_loss"] = balanced_loss(found, self.labels)
        scores["recalls"] = metrics.recalls(confusion).tolist()
        return scores

    def images(self, places: slice, device: torch.device) -> Tensor:
        """(n, c, h, w) in [0, 1] on the device."""
        return network_input(self.pixels[places], device)


def problem_of_recalls(history: History, classes: int) -> str | None:
    """What is wrong with a log's recalls: every epoch needs a number for each class."""
    for number, line in enumerate(history, 1):
        recalls = line.get("recalls")
        if not isinstance(recalls, list) or len(recalls) != classes:
            return f"line {number} of its history does not have {classes} recalls"
        if not all(map(is_number, recalls)):
            return f"line {number} of its history has recalls that are not numbers"
    return None


def balanced_loss(found: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Cross-entropy of (n, k) probabilities, all classes equally weighted, as in macro F1."""
    right = found[np.arange(len(labels)), labels].astype(np.float64)
    losses = -np.log(right.clip(min=np.finfo(np.float32).tiny))
    return float((np.bincount(labels, losses) / np.bincount(labels)).mean())
