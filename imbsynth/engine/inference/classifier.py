"""Classifier checkpoints, and what a classifier says of images, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import MAX_CLASSIFIED_SIDE, USUAL_PHOTOGRAPH, USUAL_SIDE, Fit, check_size
from imbsynth.core.batches import images_at_once
from imbsynth.core.pixels import PixelRows, network_input
from imbsynth.engine.inference.class_counts import class_counts
from imbsynth.engine.inference.decisions import Fitted, read_fitted
from imbsynth.engine.inference.digests import TRAINED_ON, packed, taken, unpacked
from imbsynth.engine.inference.fits import read_fit
from imbsynth.engine.overlap import ENCODED, PARENTS, TRAINED, VALIDATED
from imbsynth.errors import UserError, option
from imbsynth.models.classifiers import CNN, OF_TIMM, SMALL_RESNETS, Classifier, ImageShape
from imbsynth.models.fast.convolutions import channels_last
from imbsynth.models.heads import HEADS, LINEAR
from imbsynth.runtime import arithmetic
from imbsynth.store.checkpoints import Checkpoint, check_tensors, load_checkpoint
from imbsynth.store.fields import Wrong, mapping, text, whole
from imbsynth.store.images import ImageForm

KIND = "aos-train"
PRETRAINED = "pretrained"  # in the header: which weights the training started from, if any
# What networks of torchvision raise for images that are too small, or not multiples of a patch.
_UNFIT = (RuntimeError, AssertionError)
PIXELS_AT_ONCE = 512 * 64 * 64  # in a batch without gradients: its maps take about a gigabyte
_MODEL, _VALIDATED_ON = "model.", "digests.val"
_PARENTS, _ENCODED = "digests.parents", "digests.ae"  # version 0.1 wrote none
_SEEN = (TRAINED_ON, _VALIDATED_ON, _PARENTS, _ENCODED)  # in the order of `Seen`


class Seen(NamedTuple):
    """The images that a classifier depends on, by their digests: of files and of pixels."""

    trained_on: Set[str]
    validated_on: Set[str]
    parents: Set[str] = frozenset()  # of synthetic images that were trained on
    encoded: Set[str] = frozenset()  # what the autoencoder of these learned from

    def by_reason(self) -> dict[str, Set[str]]:
        """The same, by why such an image flatters a score."""
        return {
            TRAINED: self.trained_on,
            PARENTS: self.parents,
            ENCODED: self.encoded,
            VALIDATED: self.validated_on,
        }


class TrainedClassifier(NamedTuple):
    """What a checkpoint of `aos-train` holds."""

    model: Classifier
    counts: dict[str, int]  # real training images by class, in the order of the outputs
    seen: Seen
    best_epoch: int
    fitted: Fitted | None  # None in checkpoints of older versions
    pretrained: str | None = None  # SHA-256 of the weight file that its training started from
    fit: Fit = "squash"  # how images of other proportions got to the size of its training

    @property
    def classes(self) -> list[str]:
        """The class of each output."""
        return list(self.counts)

    def form(self, skip_unreadable: bool) -> ImageForm:
        """How images are read for it."""
        channels, height, width = self.model.shape
        return ImageForm((height, width), channels, self.fit, skip_unreadable)


def usual_side(name: str) -> int:
    """Pixels of the longer side of the images that a network is made for."""
    return USUAL_SIDE if name in (CNN, *SMALL_RESNETS) else USUAL_PHOTOGRAPH


def build(
    name: str, shape: ImageShape, classes: int, head: str = LINEAR, *, as_published: bool = False
) -> Classifier:
    """A classifier with fresh weights; UserError for an unknown name or unfit images.

    head: how it ends, "linear" or "cosine". as_published: so that published weights fit.
    """
    sketch(name, shape, classes, head, as_published=as_published)
    return Classifier(name, shape, classes, head, as_published=as_published)


def sketch(
    name: str, shape: ImageShape, classes: int, head: str = LINEAR, *, as_published: bool = False
) -> Classifier:
    """The same on torch's meta device, where it takes no memory and computes nothing."""
    check_size((shape.height, shape.width), MAX_CLASSIFIED_SIDE, "a classifier")
    check_package(name)
    try:
        with torch.device("meta"):
            model = Classifier(name, shape, classes, head, as_published=as_published).eval()
    except ValueError as error:
        raise UserError(
            f"{option('model')} {name}: {error}",
            "use cnn, resnet32, efficientnet_lite0, another name of torchvision's, or timm/NAME",
        ) from None
    except _UNFIT as error:
        raise _unfit(name, shape, error) from None
    try:
        model(torch.empty(2, *shape, device="meta"))
    except _UNFIT as error:
        raise _unfit(name, shape, error) from None
    return model


def check_package(name: str) -> None:
    """Raise UserError for a network of timm where timm is not installed."""
    if name.startswith(OF_TIMM) and find_spec("timm") is None:
        raise UserError(
            f"{option('model')} {name}: timm cannot be imported",
            "install it with `pip install imbsynth[timm]`, or use a name of torchvision's",
        )


def _unfit(name: str, shape: ImageShape, error: Exception) -> UserError:
    return UserError(
        f"{option('model')} {name} does not take images of {shape.height}x{shape.width} "
        f"({str(error).splitlines()[0]})",
        f"choose another size with {option('image_size')}, e.g. 224, or another {option('model')}",
    )


def classifier_checkpoint(
    tensors: dict[str, Tensor],
    model: Classifier,
    seen: Seen,
    meta: dict[str, Any],
) -> Checkpoint:
    """The checkpoint of a classifier with the given weights; `meta` says how it was made."""
    named = {_MODEL + name: value for name, value in tensors.items()}
    for place, digests in zip(_SEEN, seen, strict=True):
        named[place] = packed(digests)
    about = {"kind": KIND, "model": model.name, "shape": model.shape._asdict(), "head": model.head}
    return Checkpoint(named, {**meta, **about})


def load_classifier(path: Path) -> TrainedClassifier:
    """The classifier of a checkpoint, on the CPU; UserError for any other file."""
    checkpoint = load_checkpoint(path, KIND)
    tensors, meta = dict(checkpoint.tensors), checkpoint.meta
    check_package(str(meta.get("model")))
    try:
        seen = _seen(tensors)
        pretrained = text(mapping(meta, PRETRAINED), "digest") if PRETRAINED in meta else None
        fit = read_fit(meta)
        counts, found = class_counts(meta), mapping(meta, "shape")
        channels = whole(found, "channels", 1, 3)
        if channels == 2:
            raise Wrong("channels is 2, not 1 or 3")
        shape = ImageShape(channels, whole(found, "height"), whole(found, "width"))
        best_epoch, fitted = whole(meta, "best_epoch"), read_fitted(meta, counts)
        head = text({"head": LINEAR, **meta}, "head")  # version 0.1.0 knew no other
        if head not in HEADS:
            raise Wrong("its head is of no known kind")
        with torch.device("meta"):
            model = build(
                text(meta, "model"), shape, len(counts), head, as_published=pretrained is not None
            )
    except (Wrong, UserError) as error:
        raise UserError(
            f"{path}: its header describes no classifier ({str(error).splitlines()[0]})",
            "the file is damaged or was edited: make it again with aos-train",
        ) from None
    weights = {name.removeprefix(_MODEL): value for name, value in tensors.items()}
    check_tensors(path, weights, model.state_dict())
    model.load_state_dict(weights, assign=True)
    channels_last(model)
    return TrainedClassifier(model, counts, seen, best_epoch, fitted, pretrained, fit)


def _seen(tensors: dict[str, Tensor]) -> Seen:
    """What the classifier depends on, removed from the tensors of its checkpoint."""
    trained_on, validated_on = (unpacked(tensors.pop(name, None)) for name in _SEEN[:2])
    return Seen(trained_on, validated_on, taken(tensors, _PARENTS), taken(tensors, _ENCODED))


def at_once(size: Sequence[int], most: int) -> int:
    """How many images of (height, width) pass a classifier together, without gradients."""
    return images_at_once(size, most, PIXELS_AT_ONCE)


def logits(
    model: Classifier,
    pixels: PixelRows,
    *,
    device: torch.device,
    precision: str,
    batch_size: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float32]:
    """(n, c, h, w) uint8 -> (n, k) logits, in evaluation mode.

    A batch has at most `batch_size` images, and of large ones fewer.
    """
    model.eval()
    found = []
    batch_size = at_once(pixels.shape[2:], batch_size)
    with torch.inference_mode(), arithmetic(device, precision):
        for batch in pixels.split(batch_size):
            images = network_input(batch, device)
            found.append(model(images).float().cpu())
            on_progress(sum(map(len, found)))
    return torch.cat(found).numpy()


def check_finite(path: Path, found: NDArray[np.float32]) -> None:
    """Raise UserError if the classifier of a checkpoint gives logits that are not finite."""
    if not np.isfinite(found).all():
        raise UserError(
            f"{path}: its logits are not finite", f"train it again with a lower {option('lr')}"
        )
