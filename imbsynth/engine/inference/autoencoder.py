"""Autoencoder checkpoints, and the two directions in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from imbsynth.configs import Decoder, check_decoder, check_size
from imbsynth.core.batches import images_at_once
from imbsynth.core.pixels import PixelRows, to_bytes, to_unit
from imbsynth.engine.inference.digests import TRAINED_ON, packed, taken
from imbsynth.engine.inference.equal_batches import all_finite, in_equal_batches
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.runtime import arithmetic
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.checkpoints import Checkpoint, check_tensors, load_checkpoint
from imbsynth.store.digests import DigestSet
from imbsynth.store.fields import Wrong, flag, mapping, text, texts, whole
from imbsynth.store.folders import is_class_name
from imbsynth.store.names import listing

KIND = "train-ae"
MOST_LATENT_DIM = 65_536


MOST_AT_ONCE, PIXELS_AT_ONCE = 128, 128 * 64 * 64


class TrainedAutoencoder:
    """A trained autoencoder on a device: images to latent vectors and back.

    Every batch has the same shape, filled up with zeros where there are fewer images: kernels are
    chosen by shape, and another one may round otherwise. So a result depends on the image and its
    place in the batch alone. On a CPU larger batches gain nothing.
    """

    def __init__(self, model: Autoencoder, device: torch.device, precision: str) -> None:
        self.model = model.to(device).eval()
        self.device, self.precision = device, precision
        size = (model.shape.height, model.shape.width)
        self.images_at_once = images_at_once(size, MOST_AT_ONCE, PIXELS_AT_ONCE)

    def encode(self, pixels: Tensor) -> Tensor:
        """(n, c, h, w) uint8 on the CPU -> (n, d) float32 latent vectors on the CPU."""
        return self._computed(
            lambda batch: _checked(self.model.encode(to_unit(batch)).float()), pixels
        )

    def decode(self, latents: Tensor) -> Tensor:
        """(n, d) latent vectors -> (n, c, h, w) uint8 on the CPU."""
        return self._computed(lambda batch: to_bytes(_checked(self.model.decode(batch))), latents)

    def decode_unrounded(self, latents: Tensor) -> Tensor:
        """(n, d) latent vectors -> (n, c, h, w) float32 in [0, 1] on the CPU."""
        return self._computed(lambda batch: _checked(self.model.decode(batch)).float(), latents)

    def reconstruct(self, pixels: PixelRows) -> Iterator[Tensor]:
        """(n, c, h, w) uint8 -> their reconstructions, a batch at a time."""
        for batch in pixels.split(self.images_at_once):
            yield self.decode(self.encode(batch))

    def _computed(self, network: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        return in_equal_batches(
            lambda batch: network(batch.to(self.device)),
            inputs,
            self.images_at_once,
            arithmetic(self.device, self.precision),
        )


def _checked(values: Tensor) -> Tensor:
    return all_finite(values, "autoencoder")


def autoencoder_checkpoint(
    model: Autoencoder, meta: dict[str, Any], trained_on: Iterable[str] = ()
) -> Checkpoint:
    """The checkpoint of an autoencoder; `meta` says how it was made.

    trained_on: digests of the images that it learned from, of their files and of their pixels.
    """
    tensors = {**model.state_dict(), TRAINED_ON: packed(trained_on)}
    return Checkpoint(tensors, {**meta, "kind": KIND, "shape": model.shape._asdict()})


def load_autoencoder(path: Path) -> Autoencoder:
    """The autoencoder of a checkpoint; UserError for any other file."""
    checkpoint = load_checkpoint(path, KIND)
    _check_known(path, checkpoint.meta)
    shape, tensors = _shape(path, checkpoint.meta), dict(checkpoint.tensors)
    tensors.pop(TRAINED_ON, None)
    with torch.device("meta"):
        model = Autoencoder(shape)
    check_tensors(path, tensors, model.state_dict())
    model.load_state_dict(tensors, assign=True)
    channels_last(model)
    return model


def images_of_autoencoder(path: Path) -> DigestSet:
    """The digests of the images that the autoencoder of a checkpoint has learned from."""
    try:
        return taken(dict(load_checkpoint(path, KIND).tensors), TRAINED_ON)
    except Wrong as error:
        raise UserError(
            f"{path}: {error}", "the file is damaged or was edited: make it again with train-ae"
        ) from None


def is_poor(path: Path) -> bool:
    """Whether `train-ae` has called the reconstructions poor; False if it has not judged them."""
    try:
        return flag(mapping(read_header(path), "reconstruction"), "poor")
    except Wrong:
        return False


def _shape(path: Path, meta: dict[str, Any]) -> AutoencoderShape:
    """The shape that a header describes, within its limits; UserError for any other header."""
    try:
        found = mapping(meta, "shape")
        shape = AutoencoderShape(
            channels=whole(found, "channels", 1, 3),
            height=whole(found, "height"),
            width=whole(found, "width"),
            latent_dim=whole(found, "latent_dim", 1, MOST_LATENT_DIM),
            decoder=text(found, "decoder") if "decoder" in found else "mirrored",
            overshoots=flag(found, "overshoots") if "overshoots" in found else False,
        )
        if shape.channels == 2 or shape.decoder not in get_args(Decoder):
            raise Wrong(
                f"no autoencoder has {shape.channels} channels and a {shape.decoder} decoder"
            )
        check_size((shape.height, shape.width))
        check_decoder(shape.decoder, (shape.height, shape.width))
        if "classes" in meta and not all(map(is_class_name, texts(meta, "classes"))):
            raise Wrong("one of its classes is not the name of a folder")
    except (Wrong, UserError) as error:
        raise UserError(
            f"{path}: its header describes no autoencoder ({str(error).splitlines()[0]})",
            "the file is damaged or was edited: make it again with train-ae",
        ) from None
    return shape


def _check_known(path: Path, meta: dict[str, Any]) -> None:
    """Raise UserError for a field of a newer version, without which images would be others."""
    shape = meta.get("shape")
    unknown = (
        sorted(shape.keys() - set(AutoencoderShape._fields)) if isinstance(shape, dict) else []
    )
    if unknown:
        raise UserError(
            f"{path}: this version of imbsynth does not know what {listing(unknown)} of an "
            "autoencoder means: a newer one wrote the file",
            "update imbsynth",
        )
