"""How a classifier's logits become probabilities and classes, by what its checkpoint suggests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import Deciding
from imbsynth.core.calibration import Floats, Labels, softmax
from imbsynth.core.decisions import TAUS, adjusted, decide
from imbsynth.errors import UserError, option
from imbsynth.store.fields import Wrong, finite, mapping, sequence, text
from imbsynth.store.names import listing

_FITTED = "fitted"  # in the header of a checkpoint


class Fitted(NamedTuple):
    """What was fitted to the validation images of a training."""

    tau: float | None  # None: a class has no real training images, and so no prior
    temperature: float
    thresholds: dict[str, float]  # by class, of those for which a recall was wanted

    def meta(self) -> dict[str, Any]:
        """For the header of a checkpoint."""
        return {_FITTED: {**self._asdict(), "thresholds": list(self.thresholds.items())}}


def read_fitted(meta: dict[str, Any], classes: Mapping[str, int]) -> Fitted | None:
    """Out of the header of a checkpoint; None in those of older versions. Wrong if it is odd."""
    if _FITTED not in meta:
        return None
    found = mapping(meta, _FITTED)
    thresholds: dict[str, float] = {}
    pairs = sequence(found, "thresholds")
    for i in range(len(pairs)):
        pair = sequence(pairs, i, 2)
        name = text(pair, 0)
        if name not in classes or name in thresholds:
            raise Wrong("one of its thresholds is of no class, or of one that has another")
        thresholds[name] = finite(pair, 1, float(np.finfo(np.float32).tiny), 1)
    tau = None if found.get("tau") is None else finite(found, "tau", TAUS[0], TAUS[-1])
    return Fitted(tau, finite(found, "temperature", 1e-3, 1e3), thresholds)


class Decisions:
    """Probabilities softmax(z / T - tau log prior), and the class of each image.

    Thresholds were chosen for softmax(z), so they are compared with that, whatever T is.
    """

    def __init__(self, config: Deciding, counts: Mapping[str, int], fitted: Fitted | None) -> None:
        """counts: real training images by class. Raises UserError for what was not fitted."""
        self.counts = np.array(list(counts.values()), np.int64)
        given = {} if fitted is None or config.ignore_thresholds else fitted.thresholds
        self.thresholds = dict(given)
        self.temperature = _chosen("temperature", config.temperature, fitted)
        self.tau = _chosen("tau", config.tau, fitted)
        if config.tau == "auto":  # it was chosen for z - tau log prior: this has the same order
            self.tau /= self.temperature
        _check_prior(counts, self.tau)
        if self.tau and self.thresholds:
            raise UserError(
                f"the checkpoint has thresholds for {listing(list(self.thresholds))}, which were "
                f"chosen without {option('tau')}",
                f"leave out {option('tau')}, or give {option('ignore_thresholds')}",
            )
        self._by_class = np.array([self.thresholds.get(name, np.nan) for name in counts])

    def probabilities(self, logits: Floats) -> NDArray[np.float32]:
        """(n, c) logits -> (n, c) probabilities."""
        scaled = logits.astype(np.float64) / self.temperature
        if self.tau:
            scaled = adjusted(scaled, self.counts, self.tau)
        return softmax(scaled).astype(np.float32)

    def classes(self, logits: Floats) -> Labels:
        """(n, c) logits -> (n,) predicted classes."""
        if self.thresholds:
            return decide(softmax(logits), self._by_class)
        return self.probabilities(logits).argmax(1)


def _chosen(name: str, value: float | str, fitted: Fitted | None) -> float:
    if isinstance(value, float):
        return value
    found = None if fitted is None else getattr(fitted, name)
    if found is None:
        why = "an older version wrote it" if fitted is None else "a class had no real images"
        raise UserError(
            f"{option(name)} auto: the checkpoint has no value for it ({why})",
            f"give a number, or train again: {option(name)} auto takes the value of the training",
        )
    return float(found)


def _check_prior(counts: Mapping[str, int], tau: float) -> None:
    empty = [name for name, n in counts.items() if n == 0]
    if tau and empty:
        raise UserError(
            f"{option('tau')}: class {listing(empty)} has no real training images, "
            "so the logarithm of its share is infinite",
            f"leave out {option('tau')}",
        )
