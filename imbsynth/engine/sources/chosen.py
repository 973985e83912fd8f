"""What the options of a command that balances ask for: an autoencoder, images, a source."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch

from imbsynth.configs import AUGMENT, Balancing
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import OnEvent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.previews import Fits
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.augmented import AugmentedCopies
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.source import Source
from imbsynth.engine.sources.spaces import Pixels, Space, latent_space
from imbsynth.engine.sources.targets import check_targets
from imbsynth.runtime import resolve_device, resolve_precision


class Compute(NamedTuple):
    """Where and how numbers are computed."""

    device: torch.device
    precision: str
    autoencoder: TrainedAutoencoder | None  # None: on pixels


def compute_of(config: Balancing) -> Compute:
    """The device, and the autoencoder on it."""
    device = resolve_device(config.device)
    if config.ae is None:
        return Compute(device, "fp32", None)
    precision = resolve_precision(config.precision, device)
    trained = TrainedAutoencoder(load_autoencoder(config.ae), device, precision)
    return Compute(device, precision, trained)


def fits_of(config: Balancing) -> Fits:
    """What a folder must have for the targets of a config."""
    return Fits(partial(check_targets, config))


def images_for(
    config: Balancing, autoencoder: TrainedAutoencoder | None, on_event: OnEvent
) -> Labelled:
    """The images of the folder, as the autoencoder takes them if there is one."""
    shape = None if autoencoder is None else autoencoder.model.shape
    return read_labelled(
        config.src,
        size=config.image_size if shape is None else (shape.height, shape.width),
        channels=None if shape is None else shape.channels,
        skip_unreadable=config.skip_unreadable,
        on_event=on_event,
        fits=fits_of(config),
    )


def source_of(
    config: Balancing,
    compute: Compute,
    images: Labelled,
    added: dict[str, int],
    on_event: OnEvent,
) -> Source:
    """Where the synthetic images come from; added: how many each class gets."""
    autoencoder = compute.autoencoder
    if config.method == AUGMENT:
        return AugmentedCopies(
            config.augment, images, config.batch_size, options=config, seed=config.seed
        )
    space: Space
    if autoencoder is None:
        space = Pixels(images, images.members(), compute.device, config.batch_size)
    else:
        space = latent_space(
            autoencoder,
            images,
            images.members(),
            decode=config.decode,
            min_change=config.min_change,
        )
        from_all = SAMPLERS[config.method].all_classes
        needed = [k for k, name in enumerate(images.classes) if added[name] or from_all]
        space.encode(needed, on_event)
    return Interpolation(
        config.method, space, images.classes, options=config, seed=config.seed, on_event=on_event
    )
