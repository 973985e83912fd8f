"""Generator checkpoints, and the images that generators make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imbsynth.configs import check_size
from imbsynth.core.batches import images_at_once
from imbsynth.core.pixels import to_bytes
from imbsynth.core.tables import GENERATORS
from imbsynth.engine.inference.autoencoder import MOST_AT_ONCE, PIXELS_AT_ONCE
from imbsynth.engine.inference.class_counts import class_counts
from imbsynth.engine.inference.digests import TRAINED_ON, packed, taken
from imbsynth.engine.inference.equal_batches import all_finite, in_equal_batches
from imbsynth.errors import UserError
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.generators import Generator, GeneratorShape
from imbsynth.models.unet import NETWORKS
from imbsynth.runtime import arithmetic
from imbsynth.store.checkpoints import Checkpoint, check_tensors, load_checkpoint
from imbsynth.store.digests import DigestSet
from imbsynth.store.fields import Wrong, mapping, text, whole
from imbsynth.store.folders import digest_of, read_regular

KIND = "train-generator"
MOST_LATENT_DIM = 1024
_SHAPE = ("channels", "height", "width", "latent_dim", "network")


class GeneratorCheckpoint(NamedTuple):
    """A generator as a checkpoint has it."""

    model: Generator
    shape: GeneratorShape
    kind: str
    classes: list[str]
    trained_on: DigestSet  # digests of the images that it learned from
    digest: str  # SHA-256 of the file


class TrainedGenerator:
    """A trained generator on a device: noise to images, in batches of one shape."""

    def __init__(
        self, model: Generator, shape: GeneratorShape, device: torch.device, precision: str
    ) -> None:
        self.model = model.to(device).eval()
        self.shape, self.device, self.precision = shape, device, precision
        size = (shape.height, shape.width)
        self.images_at_once = images_at_once(size, MOST_AT_ONCE, PIXELS_AT_ONCE)

    def images(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(m, noise_dim) and (m,) classes on the CPU -> (m, c, h, w) uint8 on the CPU."""
        size = self.images_at_once
        parts = zip(noise.split(size), labels.split(size), strict=True)
        return torch.cat([self._batch(*part) for part in parts])

    def _batch(self, noise: Tensor, labels: Tensor) -> Tensor:
        filled = labels.new_zeros(self.images_at_once)
        filled[: len(labels)] = labels
        filled = filled.to(self.device)
        return in_equal_batches(
            lambda batch: to_bytes(
                all_finite(self.model.generate(batch.to(self.device), filled), "generator")
            ),
            noise,
            self.images_at_once,
            arithmetic(self.device, self.precision),
        )


def build_generator(
    kind: str, shape: GeneratorShape, sampling: Mapping[str, Any] = MappingProxyType({})
) -> Generator:
    """An untrained generator of a kind, by its name in `GENERATORS`.

    sampling: how it makes images, by the names that the entry of its kind has.
    """
    model: Generator = GENERATORS[kind].load()(shape, **sampling)
    return model


def generator_checkpoint(
    model: Generator, shape: GeneratorShape, meta: dict[str, Any], trained_on: Iterable[str]
) -> Checkpoint:
    """The checkpoint of a generator.

    meta: how it was made, its kind as "generator", and "counts", the pairs of class and images.
    trained_on: digests of the images that it learned from, of their files and of their pixels.
    """
    tensors = {**model.state_dict(), TRAINED_ON: packed(trained_on)}
    described = {name: getattr(shape, name) for name in _SHAPE}
    return Checkpoint(tensors, {**meta, "kind": KIND, "shape": described})


def load_generator(
    path: Path, sampling_of: Callable[[str], Mapping[str, Any]] = lambda _: {}
) -> GeneratorCheckpoint:
    """The generator of a checkpoint; UserError for any other file.

    sampling_of: from its kind to how it makes images.
    """
    digest = digest_of(read_regular(path))
    checkpoint = load_checkpoint(path, KIND)
    tensors = dict(checkpoint.tensors)
    try:
        trained_on = taken(tensors, TRAINED_ON)
        kind, sizes, shape = _described(checkpoint.meta)
    except (Wrong, UserError) as error:
        raise UserError(
            f"{path}: its header describes no generator ({str(error).splitlines()[0]})",
            f"the file is damaged or was edited: make it again with {KIND}",
        ) from None
    with torch.device("meta"):
        model = build_generator(kind, shape, sampling_of(kind))
    check_tensors(path, tensors, model.state_dict())
    model.load_state_dict(tensors, assign=True)
    channels_last(model)
    return GeneratorCheckpoint(model, shape, kind, list(sizes), trained_on, digest)


def _described(meta: dict[str, Any]) -> tuple[str, dict[str, int], GeneratorShape]:
    """Kind, images by class and shape, within their limits; Wrong or UserError otherwise."""
    kind, sizes, found = text(meta, "generator"), class_counts(meta), mapping(meta, "shape")
    if kind not in GENERATORS or not all(sizes.values()):
        raise Wrong("its kind is unknown, or it has a class without images")
    shape = GeneratorShape(
        channels=whole(found, "channels", 1, 3),
        height=whole(found, "height"),
        width=whole(found, "width"),
        latent_dim=whole(found, "latent_dim", 1, MOST_LATENT_DIM),
        counts=tuple(sizes.values()),
        network=text(found, "network"),
    )
    if shape.network not in NETWORKS:
        raise Wrong("its network is unknown")
    if shape.channels == 2:
        raise Wrong("no generator has 2 channels")
    check_size((shape.height, shape.width))
    return kind, sizes, shape
