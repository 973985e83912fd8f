"""What an epoch goes through: real images, copies of them, or points between them.

A training set is a plan, not pixels: a row is an image of the folder (base), perhaps moved towards
another (neighbor, lam), so that oversampling costs no memory whatever the method.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import AosTrainConfig
from imbsynth.core import samplers
from imbsynth.engine.sources.plans import Plan, draw, joined
from imbsynth.engine.sources.spaces import Space
from imbsynth.runtime import stream

Members = dict[str, NDArray[np.int64]]


def training_plan(config: AosTrainConfig, members: Members, space: Space) -> Plan:
    """The rows of an epoch by `--oversample`, in class order with the originals first.

    members: the image indices of each class. `ros` and `aos` (whose images are moved later) add
    copies, `smote` points between pixels, the ones that `generate` would write; `rus` takes as
    many of each class as the smallest has.
    """
    method = config.oversample
    sizes = {name: len(own) for name, own in members.items()}
    if method == "rus":
        members = {
            name: stream(config.seed, "aos-train", "rus", name).permutation(own)[
                : min(sizes.values())
            ]
            for name, own in members.items()
        }
    plans = [_originals(label, own) for label, own in enumerate(members.values())]
    if method in ("ros", "aos", "smote"):
        added = {name: max(sizes.values()) - size for name, size in sizes.items()}
        sampler = partial(samplers.smote, neighbors=config.k_neighbors)
        chosen, kind = (sampler, "smote") if method == "smote" else (samplers.ros, "ros")
        plans += draw(chosen, members, space, added, seed=config.seed, method=kind)
    return joined(plans)


def minority(members: Members, below: float) -> NDArray[np.bool_]:
    """(c,): the classes with fewer than `below` times as many images as the largest."""
    sizes = np.array([len(own) for own in members.values()])
    return sizes < below * sizes.max()


def _originals(label: int, own: NDArray[np.int64]) -> Plan:
    rows = len(own)
    return Plan(own, own, np.zeros(rows), np.full(rows, label), np.zeros(rows, np.int64))
