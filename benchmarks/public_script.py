"""DeepSMOTE's public script as `train-ae`'s rival: its arithmetic and its handling of the data.

Written from a description of the script, not from its text: the images are float64 in memory, a
DataLoader hands out batches of floats, a penalty batch is found by a boolean mask over all labels
and `np.random.choice`, its codes go through NumPy (so the encoder gets no gradient from them), and
encoder and decoder each have an Adam.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

SIDE, LATENT, WIDTH = 28, 300, 64  # pixels, latent dimensions, channels of the first layer
BATCH, RATE = 100, 2e-4  # images a step, Adam's step


def encoder() -> nn.Sequential:
    """(n, 1, 28, 28) -> (n, 300): the map is halved four times, down to a pixel."""
    layers: list[nn.Module] = []
    for i in range(4):
        before, after = (WIDTH << (i - 1) if i else 1), WIDTH << i
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after)]
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * WIDTH, LATENT))


def decoder() -> nn.Sequential:
    """(n, 300) -> (n, 1, 28, 28): a seed of 7x7 grows to 10, 13 and 28 pixels a side."""
    layers: list[nn.Module] = [
        nn.Linear(LATENT, 8 * WIDTH * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (8 * WIDTH, 7, 7)),
    ]
    for before, after in ((8 * WIDTH, 4 * WIDTH), (4 * WIDTH, 2 * WIDTH)):
        layers += [nn.ConvTranspose2d(before, after, 4), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(2 * WIDTH, 1, 4, stride=2), nn.Tanh())


class PublicScript:
    """Its training, a step at a time."""

    def __init__(self, images: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        """images: (n, 1, 28, 28) in [-1, 1]."""
        self.images, self.labels = images, labels
        self.encoder, self.decoder = encoder(), decoder()
        self.adams = [
            torch.optim.Adam(net.parameters(), lr=RATE) for net in (self.encoder, self.decoder)
        ]
        data = TensorDataset(torch.Tensor(images), torch.Tensor(labels))
        self.loader = DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
        self.loss = nn.MSELoss()

    def batches(self) -> Iterator[Tensor]:
        """Batches without end."""
        while True:
            for images, _ in self.loader:
                yield images

    def take_step(self, images: Tensor) -> None:
        """One step of both Adams."""
        for network in (self.encoder, self.decoder):
            network.zero_grad()
        recon = self.loss(self.decoder(self.encoder(images)), images)

        of_class = self.images[self.labels == np.random.choice(np.unique(self.labels))]
        chosen = np.random.choice(len(of_class), min(len(of_class), BATCH), replace=False)
        class_batch = of_class[chosen]
        codes = self.encoder(torch.Tensor(class_batch)).detach().cpu().numpy()
        order = np.roll(np.arange(len(class_batch)), 1)
        decoded = self.decoder(torch.Tensor(codes[order]))
        penalty = self.loss(decoded, torch.Tensor(class_batch[order]))

        (recon + penalty).backward()
        for adam in self.adams:
            adam.step()
