"""The features that images are compared by: Inception's, pixels, or a checkpoint's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from imbsynth.configs import FidConfig, Fit, Size
from imbsynth.core.pixels import stacked, to_unit
from imbsynth.engine.events import OnEvent
from imbsynth.engine.inference import autoencoder, classifier
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.engine.inference.fits import FIT, fit_of
from imbsynth.errors import UserError, option
from imbsynth.runtime import arithmetic, resolve_device, resolve_precision
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.headers import mixed_sizes, sizes_of
from imbsynth.store.image_reader import ImageRules, Pixels, all_gray, size_of_first

MOST_DIMS = 4096  # a covariance of 128 MiB, and a minute for its eigenvalues


class Extractor(Protocol):
    """Images in, features out."""

    name: str  # shown beside every number
    is_inception: bool  # only then is the distance called FID
    dim: int
    batch_size: int  # images per batch
    rules: ImageRules  # what the images must be like
    identity: dict[str, Any]  # JSON values: all that the features depend on, besides the image

    def features(self, images: Sequence[Pixels]) -> Tensor:
        """n uint8 images, (h, w) gray or (h, w, 3) -> (n, d) float32 on the CPU."""


class PixelFeatures:
    """The pixels themselves, in [0, 1]."""

    name, is_inception = "pixels", False

    def __init__(self, shape: tuple[int, int, int], config: FidConfig) -> None:
        channels, height, width = self.shape = shape
        self.dim = channels * height * width
        self.batch_size = config.batch_size or 500
        self.rules = _rules(config.image_size, channels, config, config.fit)
        self.identity = {"features": self.name, "shape": list(shape), FIT: config.fit}

    def features(self, images: Sequence[Pixels]) -> Tensor:
        """Flattened."""
        return to_unit(stacked(images, self.shape[0])).flatten(1)


class LatentFeatures:
    """The latent vectors of an autoencoder; images are resized to the size it was trained on."""

    is_inception = False

    def __init__(self, path: Path, config: FidConfig) -> None:
        device = resolve_device(config.device)
        precision = resolve_precision(config.precision, device)
        self.batch_size = config.batch_size or 500
        self.autoencoder = TrainedAutoencoder(load_autoencoder(path), device, precision)
        shape = self.autoencoder.model.shape
        self.name, self.dim, self.channels = path.name, shape.latent_dim, shape.channels
        self.rules = _rules((shape.height, shape.width), shape.channels, config, fit_of(path))
        digest = digest_of(read_regular(path))
        self.identity = {"features": "latents", "weights": digest, "precision": precision}

    def features(self, images: Sequence[Pixels]) -> Tensor:
        """Encoded."""
        return self.autoencoder.encode(stacked(images, self.channels))


class ClassifierFeatures:
    """The inputs of a classifier's last dense layer; images are resized to the size it takes."""

    is_inception = False

    def __init__(self, path: Path, config: FidConfig) -> None:
        self.device = resolve_device(config.device)
        self.precision = resolve_precision(config.precision, self.device)
        self.batch_size = config.batch_size or 500
        self.model = load_classifier(path).model.to(self.device).eval()
        shape = self.model.shape
        self.name, self.channels = path.name, shape.channels
        try:
            self.dim = self.features([np.zeros((shape.height, shape.width), np.uint8)]).shape[1]
        except ValueError as error:
            raise UserError(
                f"{option('features')} {path}: {error}", "use another checkpoint"
            ) from None
        self.rules = _rules((shape.height, shape.width), shape.channels, config, fit_of(path))
        digest = digest_of(read_regular(path))
        self.identity = {"features": "classifier", "weights": digest, "precision": self.precision}

    def features(self, images: Sequence[Pixels]) -> Tensor:
        """Computed in evaluation mode."""
        batch = to_unit(stacked(images, self.channels).to(self.device))
        with torch.inference_mode(), arithmetic(self.device, self.precision):
            return self.model.features(batch).float().cpu()


# By the kind of checkpoint: a new kind of network that has features adds a line here.
OF_CHECKPOINT: dict[str, Callable[[Path, FidConfig], Extractor]] = {
    autoencoder.KIND: LatentFeatures,
    classifier.KIND: ClassifierFeatures,
}


def extractor_for(config: FidConfig, paths: Sequence[str], on_event: OnEvent) -> Extractor:
    """The extractor that `features` names; pixels take their shape from the images at `paths`."""
    extractor: Extractor
    if config.features == "inception":
        # It loads torchvision, which takes 2 s.
        from imbsynth.engine.distances import inception

        digest, network = inception.load_inception(config.weights, on_event=on_event)
        return inception.InceptionFeatures(network, digest, config)
    if config.features == "pixels":
        extractor = PixelFeatures(_shape_of(config, paths), config)
    else:
        extractor = _of_checkpoint(Path(config.features), config)
    if extractor.dim > MOST_DIMS:
        raise UserError(
            f"{option('features')} {config.features}: {extractor.dim} dimensions, more than "
            f"{MOST_DIMS}",
            f"make the images smaller with {option('image_size')}"
            if config.features == "pixels"
            else "use inception, or a checkpoint with fewer features",
        )
    return extractor


def _of_checkpoint(path: Path, config: FidConfig) -> Extractor:
    if not path.exists():
        raise UserError(
            f"{option('features')} {path}: no such file", "give inception, pixels, or a checkpoint"
        )
    kind = read_header(path)["kind"]
    if kind not in OF_CHECKPOINT:
        raise UserError(
            f"{option('features')} {path}: a checkpoint of {kind}, which has no features",
            f"give inception, pixels, or a checkpoint of {' or '.join(OF_CHECKPOINT)}",
        )
    return OF_CHECKPOINT[kind](path, config)


def _rules(size: Size | None, channels: int, config: FidConfig, fit: Fit) -> ImageRules:
    """For features of images of one size."""
    return ImageRules(size, True, channels == 1, config.skip_unreadable, fit)


def _shape_of(config: FidConfig, paths: Sequence[str]) -> tuple[int, int, int]:
    """(c, h, w): gray if all images are; the configured size, or that of the first readable one."""
    where = str(config.real) if config.fake is None else f"{config.real} and {config.fake}"
    if config.image_size is None:
        sizes = sizes_of(Path(), paths, doubted=config.skip_unreadable)
        if len(sizes) > 1:
            raise mixed_sizes(where, sizes)
    height, width = config.image_size or size_of_first(paths, where)
    return 1 if all_gray(paths) else 3, height, width
