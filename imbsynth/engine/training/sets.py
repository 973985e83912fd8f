"""What an epoch shows: real images, copies of them, or points between them.

A training set is a plan, not pixels: a row is an image of the folder (base), perhaps moved towards
another (neighbor, lam), so that oversampling costs no memory whatever the method.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core import samplers
from imbsynth.core.batches import Indices
from imbsynth.core.offsets import Offsets
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.samplers import interpolate
from imbsynth.engine.sources.plans import Plan, draw, joined
from imbsynth.engine.sources.spaces import Pixels, Space
from imbsynth.runtime import stream

Members = dict[str, Indices]  # the image indices of each class


class TrainingSet:
    """Rows with a label and an image each."""

    def __init__(self, plan: Plan, space: Pixels) -> None:
        self.plan, self.space = plan, space
        self.labels: NDArray[np.int64] = plan.label  # (rows,)
        # (rows,): rows with the same number show the same image.
        alone = len(space.pixels) + np.arange(len(plan.label))
        self.identity: NDArray[np.int64] = np.where(plan.lam == 0, plan.base, alone)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, rows: Indices) -> Tensor:
        """(n, c, h, w) in [0, 1] on the device, without augmentation; never shared."""
        images = self._real(self.plan.base[rows])
        lam = self.plan.lam[rows]
        if lam.any():
            ends = self._real(self.plan.neighbor[rows])
            # As whole gray levels: the images that `generate` would write.
            images = to_unit(to_bytes(interpolate(images, ends, torch.from_numpy(lam))))
        return images.contiguous(memory_format=torch.channels_last)

    def offsets(self, count: int) -> Offsets:
        """Room for the offsets of `count` images, beside the pixels: on the device if they fit."""
        pixels = self.space.pixels
        return Offsets(count, pixels.shape[1:], pixels.device)

    def _real(self, indices: Indices) -> Tensor:
        return to_unit(self.space.points(indices))


def training_plan(config: AosTrainConfig, members: Members, space: Space) -> Plan:
    """The rows of an epoch by the oversampling chosen, in class order with the originals first.

    `ros` and `aos` (whose images are moved later) add copies, `smote` points between pixels, the
    ones that `generate` would write; `rus` takes as many of each class as the smallest has.
    """
    method = config.oversample
    sizes = {name: len(own) for name, own in members.items()}
    if method == "rus":
        smallest = min(sizes.values())
        members = {
            name: stream(config.seed, "aos-train", "rus", name).permutation(own)[:smallest]
            for name, own in members.items()
        }
    plans = [_originals(label, own) for label, own in enumerate(members.values())]
    if method in ("ros", "aos", "smote"):
        added = {name: max(sizes.values()) - size for name, size in sizes.items()}
        sampler = partial(samplers.smote, neighbors=config.k_neighbors)
        chosen, kind = (sampler, "smote") if method == "smote" else (samplers.ros, "ros")
        plans += draw(chosen, members, space, added, seed=config.seed, method=kind)
    return joined(plans)


def _originals(label: int, own: Indices) -> Plan:
    rows = len(own)
    return Plan(own, own, np.zeros(rows), np.full(rows, label), np.zeros(rows, np.int64))
