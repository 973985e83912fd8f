"""`class-weights`: a weight per class, for a loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imbsynth.engine.events import OnEvent, silent
from imbsynth.store.folders import scan
from tests.contributing.configs.class_weights import ClassWeightsConfig
from tests.contributing.core.class_weights import effective_number_weights


@dataclass(frozen=True)
class Report:
    """What `class-weights` prints."""

    weights: dict[str, float]


def run(config: ClassWeightsConfig, *, on_event: OnEvent = silent) -> Report:
    """The weights of the classes of a folder, in the order of their names."""
    counts = scan(config.src).counts
    weights = effective_number_weights(np.array(list(counts.values())), config.beta)
    return Report(dict(zip(counts, weights.tolist(), strict=True)))
