from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imbsynth.core.pixels import to_bytes
from imbsynth.engine.events import silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.spaces import ResidualLatentSpace
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import MakeFolder

CPU = torch.device("cpu")


def read(src: Path) -> Labelled:
    return read_labelled(src, AS_THEY_ARE, on_event=silent)


class Counting(TrainedAutoencoder):
    """Counts the latent vectors that it decodes."""

    decoded = 0

    def decode_unrounded(self, latents: torch.Tensor) -> torch.Tensor:
        self.decoded += len(latents)
        return super().decode_unrounded(latents)


def residual(images: Labelled, min_change: float = 0) -> tuple[ResidualLatentSpace, Counting]:
    autoencoder = Counting(Autoencoder(AutoencoderShape(1, 8, 8, 4)), CPU, "fp32")
    return ResidualLatentSpace(autoencoder, images, images.members(), min_change), autoencoder


@pytest.mark.parametrize("min_change", [0.0, 0.1])
def test_a_residual_image_is_the_base_and_the_change_of_what_is_decoded(
    rare: Path, min_change: float
) -> None:
    """Against the formula, in float64 and image by image."""
    images = read(rare)
    space, autoencoder = residual(images, min_change)
    base = images.members()[1]
    start = space.points_of(base)
    points = start + torch.linspace(-3000, 3000, start.numel()).reshape(start.shape)
    made = space.images(points, base)
    with torch.no_grad():
        model = autoencoder.model.double()
        change = model.decode(points.double()) - model.decode(start.double())
    lessened = change - min_change * change.sign()
    moved = lessened.where(change.abs() > min_change, 0)
    own = torch.from_numpy(images.pixels[base]).double() / 255
    difference = made.int() - to_bytes((own + moved).clamp(0, 1)).int()
    assert difference.abs().max() <= 1  # float16 moves a number that is almost half a gray level
    changed = made != torch.from_numpy(images.pixels[base])
    assert changed.any()
    assert (moved == 0).any() == (min_change > 0)
    assert not changed[moved == 0].any()


def test_a_point_that_did_not_move_is_the_base_to_the_byte(make_folder: MakeFolder) -> None:
    images = read(make_folder({"a": 300, "b": 5}))
    space, _ = residual(images)
    base = np.concatenate([images.members()[0][[299, 0, 140, 140]], images.members()[1]])
    assert torch.equal(
        space.images(space.points_of(base), base), torch.from_numpy(images.pixels[base])
    )


def test_each_base_is_decoded_once_however_often_it_is_used(make_folder: MakeFolder) -> None:
    images = read(make_folder({"a": 130, "b": 5}))
    space, autoencoder = residual(images)
    base = np.repeat(images.members()[1], 20)
    for _ in range(3):
        space.images(space.points_of(base) + 1, base)
    assert autoencoder.decoded == 5 + 3 * 100
