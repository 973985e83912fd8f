"""Classifier checkpoints, and what a classifier says of images, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import MAX_CLASSIFIED_SIDE, check_size
from imbsynth.core.pixels import to_unit
from imbsynth.errors import UserError
from imbsynth.models.classifiers import Classifier, ImageShape, model_names
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.runtime import arithmetic
from imbsynth.store.checkpoints import Checkpoint, check_tensors, load_checkpoint
from imbsynth.store.folders import is_class_name

KIND = "aos-train"
_MODEL, _TRAINED_ON, _VALIDATED_ON = "model.", "digests.train", "digests.val"


class Trained(NamedTuple):
    """What a checkpoint of `aos-train` holds."""

    model: Classifier
    counts: dict[str, int]  # real training images by class, in the order of the outputs
    trained_on: set[str]  # SHA-256 of the files, hexadecimal
    validated_on: set[str]
    best_epoch: int

    @property
    def classes(self) -> list[str]:
        """The class of each output."""
        return list(self.counts)


def build(name: str, shape: ImageShape, classes: int) -> Classifier:
    """A classifier with fresh weights; UserError if there is none so named for such images."""
    size = (shape.height, shape.width)
    check_size(size, MAX_CLASSIFIED_SIDE, "a classifier")
    try:
        with torch.device("meta"):
            model = Classifier(name, shape, classes).eval()
            model(torch.empty(2, *shape))
    except ValueError as error:
        if name not in model_names():
            raise UserError(
                f"--model {name}: {error}", "use cnn, resnet18, or another name of torchvision's"
            ) from None
        raise _unfit(name, shape, error) from None
    except (RuntimeError, TypeError, AssertionError) as error:
        raise _unfit(name, shape, error) from None
    return Classifier(name, shape, classes)


def _unfit(name: str, shape: ImageShape, error: Exception) -> UserError:
    return UserError(
        f"--model {name} does not take images of {shape.height}x{shape.width} "
        f"({str(error).splitlines()[0]})",
        "choose another size with --image-size, e.g. 224, or another --model",
    )


def classifier_checkpoint(
    tensors: dict[str, Tensor],
    model: Classifier,
    trained_on: list[str],
    validated_on: list[str],
    meta: dict[str, Any],
) -> Checkpoint:
    """The checkpoint of a classifier with the given weights; `meta` says how it was made."""
    named = {_MODEL + name: value for name, value in tensors.items()}
    named[_TRAINED_ON] = _packed(trained_on)
    named[_VALIDATED_ON] = _packed(validated_on)
    head = {"kind": KIND, "model": model.name, "shape": model.shape._asdict()}
    return Checkpoint(named, {**meta, **head})


def load_classifier(path: Path) -> Trained:
    """The classifier of a checkpoint, on the CPU; UserError for any other file."""
    checkpoint = load_checkpoint(path, KIND)
    tensors = dict(checkpoint.tensors)
    try:
        trained_on, validated_on = (_unpacked(tensors.pop(n)) for n in (_TRAINED_ON, _VALIDATED_ON))
        counts, shape = _counts(checkpoint.meta["counts"]), ImageShape(**checkpoint.meta["shape"])
        if any(type(value) is not int for value in shape) or shape.channels not in (1, 3):
            raise ValueError("its image shape is out of range")
        with torch.device("meta"):
            model = build(checkpoint.meta["model"], shape, len(counts))
        best_epoch = int(checkpoint.meta["best_epoch"])
    except (LookupError, TypeError, ValueError, AttributeError, UserError) as error:
        raise UserError(
            f"{path}: its header describes no classifier ({str(error).splitlines()[0]})",
            "the file is damaged or was edited: make it again with aos-train",
        ) from None
    weights = {name.removeprefix(_MODEL): value for name, value in tensors.items()}
    check_tensors(path, weights, model.state_dict())
    model.load_state_dict(weights, assign=True)
    channels_last(model)
    return Trained(model, counts, trained_on, validated_on, best_epoch)


def _counts(found: Any) -> dict[str, int]:
    """Images a class; ValueError unless they are at least two names with numbers."""
    pairs = [(name, n) for name, n in found]
    if len(pairs) < 2 or len(dict(pairs)) < len(pairs):
        raise ValueError("fewer than two classes, or one twice")
    if not all(type(name) is str and type(n) is int for name, n in pairs):
        raise ValueError("its classes are no names and numbers")
    if not all(is_class_name(name) and n >= 0 for name, n in pairs):
        raise ValueError("a class that no folder can be called, or of fewer than no images")
    return dict(pairs)


def _packed(digests: list[str]) -> Tensor:
    """(n, 32) uint8, sorted: half the size of hexadecimal, and no load on the header."""
    joined = bytearray(bytes.fromhex("".join(sorted(set(digests)))))
    return torch.frombuffer(joined, dtype=torch.uint8).reshape(-1, 32).clone()


def _unpacked(packed: Tensor) -> set[str]:
    if packed.dtype != torch.uint8 or packed.ndim != 2 or packed.shape[1] != 32:
        raise ValueError("its digests have another form")
    return {bytes(row).hex() for row in packed.numpy()}


def probabilities(
    model: Classifier,
    pixels: Tensor,
    *,
    device: torch.device,
    precision: str,
    batch_size: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float32]:
    """(n, c, h, w) uint8 -> (n, k) probabilities, in evaluation mode."""
    model.eval()
    found = []
    with torch.inference_mode(), arithmetic(device, precision):
        for batch in pixels.split(batch_size):
            images = to_unit(batch.to(device)).contiguous(memory_format=torch.channels_last)
            found.append(model(images).float().softmax(1).cpu())
            on_progress(sum(map(len, found)))
    return torch.cat(found).numpy()
