"""A generator that moves noise to images along a learned velocity."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from imbsynth.configs import GUIDANCE, SAMPLING_STEPS
from imbsynth.core.flows import flow_loss, guided, transported
from imbsynth.core.non_leaky import NUMBERS
from imbsynth.models.generators import Generator, GeneratorShape
from imbsynth.models.unet import NETWORKS, UNet


class Flow(Generator):
    """Rectified flow with a U-Net (Liu et al., 2023), told the class and how images are changed.

    What is moved are images in [-1, 1]; noise is drawn per pixel.
    """

    losses = ("flow_loss",)
    lr = 1e-3

    def __init__(
        self,
        shape: GeneratorShape,
        *,
        guidance: float = GUIDANCE,
        sampling_steps: int = SAMPLING_STEPS,
    ) -> None:
        """guidance, sampling_steps: how images are made; see `guided` and `transported`."""
        super().__init__()
        self.size = shape[:3]
        self.none = len(shape.counts)  # the label that stands for no class
        self.noise_dim = shape.channels * shape.height * shape.width
        self.guidance, self.sampling_steps = guidance, sampling_steps
        self.network = UNet(self.size, self.none, NUMBERS, NETWORKS[shape.network])

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> their velocities at time 0, without a class: one pass of the network."""
        times = images.new_zeros(len(images))
        return self.network(images, times, times.long() + self.none, times.new_zeros(1, NUMBERS))

    def loss(
        self, images: Tensor, labels: Tensor, changes: Tensor, noise: Tensor, times: Tensor
    ) -> Tensor:
        """`flow_loss` of (n, c, h, w) images in [0, 1], changed as (n, NUMBERS) `changes` say.

        labels: (n,), where `none` stands for no class; noise: of the images' shape; times: (n,).
        """
        velocity = partial(self.network, changes=changes)
        return flow_loss(velocity, noise, images * 2 - 1, times, labels)

    def generate(self, noise: Tensor, labels: Tensor) -> Tensor:
        """The noise, moved to where images are, as if nothing was done to them."""
        unchanged = noise.new_zeros(1, NUMBERS)
        velocity = guided(partial(self.network, changes=unchanged), self.none, self.guidance)
        start = noise.unflatten(1, self.size).contiguous(memory_format=torch.channels_last)
        return (transported(velocity, start, labels, self.sampling_steps) + 1) / 2
