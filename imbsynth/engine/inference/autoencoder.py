"""Autoencoder checkpoints, and the two directions in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from imbsynth.configs import Decoder, check_decoder, check_size
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, Shape
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.runtime import arithmetic
from imbsynth.store.checkpoints import Checkpoint, check_tensors, load_checkpoint
from imbsynth.store.folders import is_class_name

KIND = "train-ae"


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
        area = model.shape.height * model.shape.width
        self.images_at_once = min(MOST_AT_ONCE, PIXELS_AT_ONCE // area)

    def encode(self, pixels: Tensor) -> Tensor:
        """(n, c, h, w) uint8 on the CPU -> (n, d) float32 latent vectors on the CPU."""
        return self._computed(
            lambda batch: _checked(self.model.encode(to_unit(batch)).float()), pixels
        )

    def decode(self, latents: Tensor) -> Tensor:
        """(n, d) latent vectors -> (n, c, h, w) uint8 on the CPU."""
        return self._computed(lambda batch: to_bytes(_checked(self.model.decode(batch))), latents)

    def reconstruct(self, pixels: Tensor) -> Iterator[Tensor]:
        """(n, c, h, w) uint8 -> their reconstructions, a batch at a time."""
        for batch in pixels.split(self.images_at_once):
            yield self.decode(self.encode(batch))

    def _computed(self, network: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """The outputs for any number of inputs, in batches of one shape."""
        outputs = []
        with torch.inference_mode(), arithmetic(self.device, self.precision):
            for batch in inputs.split(self.images_at_once):
                filled = batch.new_zeros(self.images_at_once, *batch.shape[1:])
                filled[: len(batch)] = batch
                outputs.append(network(filled.to(self.device))[: len(batch)].cpu())
        return torch.cat(outputs)


def _checked(values: Tensor) -> Tensor:
    """The same values; UserError if some are no numbers, which would become pixels in silence."""
    if not values.isfinite().all():
        raise UserError(
            "the autoencoder computes numbers out of range",
            "its checkpoint is damaged or its training diverged: train it again, with a lower --lr",
        )
    return values


def autoencoder_checkpoint(model: Autoencoder, meta: dict[str, Any]) -> Checkpoint:
    """The checkpoint of an autoencoder; `meta` says how it was made."""
    return Checkpoint(
        dict(model.state_dict()), {**meta, "kind": KIND, "shape": model.shape._asdict()}
    )


def load_autoencoder(path: Path) -> Autoencoder:
    """The autoencoder of a checkpoint; UserError for any other file."""
    checkpoint = load_checkpoint(path, KIND)
    shape = _shape(path, checkpoint.meta)
    with torch.device("meta"):
        model = Autoencoder(shape)
    check_tensors(path, checkpoint.tensors, model.state_dict())
    model.load_state_dict(checkpoint.tensors, assign=True)
    channels_last(model)
    return model


def _shape(path: Path, meta: dict[str, Any]) -> Shape:
    try:
        shape = Shape(**meta["shape"])
        if any(type(value) is not int for value in (*shape[:3], shape.latent_dim)):
            raise ValueError("not a whole number")
        if shape.decoder not in get_args(Decoder):
            raise ValueError("an unknown decoder")
        if shape.channels not in (1, 3) or not 1 <= shape.latent_dim <= 65_536:
            raise ValueError("out of range")
        check_size((shape.height, shape.width))
        check_decoder(shape.decoder, (shape.height, shape.width))
        if not all(is_class_name(name) for name in meta.get("classes", [])):
            raise ValueError("a class that no folder can be called")
    except (LookupError, TypeError, ValueError, AttributeError, UserError) as error:
        raise UserError(
            f"{path}: its header describes no autoencoder ({error})".splitlines()[0],
            "the file is damaged or was edited: make it again with train-ae",
        ) from None
    return shape
