"""What the options of a command that balances ask for: an autoencoder, images, a source."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch

from imbsynth.configs import AUGMENT, Balancing
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, is_poor, load_autoencoder
from imbsynth.engine.inference.fits import fit_of
from imbsynth.engine.inference.generator import (
    GeneratorCheckpoint,
    TrainedGenerator,
    load_generator,
)
from imbsynth.engine.previews import Fits
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.augmented import AugmentedCopies
from imbsynth.engine.sources.generated import FromGenerator, check_classes
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.source import Source
from imbsynth.engine.sources.spaces import PixelSpace, Space, latent_space
from imbsynth.engine.sources.targets import check_targets
from imbsynth.runtime import ALONE, World, resolve_device, resolve_precision
from imbsynth.store.images import ImageForm

_AS_POOR = "synthetic images will be no better; train it for more epochs, or on more images"


class ComputeSettings(NamedTuple):
    """Where and how numbers are computed, and the networks that are asked for."""

    device: torch.device
    precision: str = "fp32"
    autoencoder: TrainedAutoencoder | None = None  # in whose latent space a sampler works
    stored: GeneratorCheckpoint | None = None  # of a generator, the checkpoint
    generator: TrainedGenerator | None = None

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the images that a network takes or makes."""
        if self.autoencoder is not None:
            return self.autoencoder.model.shape[:3]
        return None if self.generator is None else self.generator.shape[:3]


def compute_of(config: Balancing) -> ComputeSettings:
    """Load the networks that the options name."""
    device = resolve_device(config.device)
    if config.generator is not None:
        precision = resolve_precision(config.precision, device)
        stored = load_generator(config.generator, config.sampling_of)
        generator = TrainedGenerator(stored.model, stored.shape, device, precision)
        return ComputeSettings(device, precision, stored=stored, generator=generator)
    if config.ae is not None:
        precision = resolve_precision(config.precision, device)
        autoencoder = TrainedAutoencoder(load_autoencoder(config.ae), device, precision)
        return ComputeSettings(device, precision, autoencoder)
    return ComputeSettings(device)


def fits_of(config: Balancing) -> Fits:
    """What a folder must have for the targets of a config."""
    return Fits(partial(check_targets, config))


def images_for(config: Balancing, compute: ComputeSettings, on_event: OnEvent) -> Labelled:
    """The images of the folder, as the network takes or makes them if there is one.

    A note says if it is an autoencoder that reconstructs images badly.
    """
    if config.ae is not None and is_poor(config.ae):
        on_event(Note(f"{config.ae}: poor reconstructions, as train-ae has said: {_AS_POOR}"))
    form = ImageForm(config.image_size, None, config.fit, config.skip_unreadable)
    shape, checkpoint = compute.shape, config.ae or config.generator
    if shape is not None and checkpoint is not None:
        form = form._replace(size=shape[1:], channels=shape[0], fit=fit_of(checkpoint))
    return read_labelled(config.src, form, on_event=on_event, fits=fits_of(config))


def source_of(
    config: Balancing,
    compute: ComputeSettings,
    images: Labelled,
    added: dict[str, int],
    on_event: OnEvent,
    world: World = ALONE,
) -> Source:
    """Where the synthetic images come from; added: how many each class gets.

    world: the processes that share what must be computed first.
    """
    if compute.stored is not None and compute.generator is not None:
        check_classes(compute.stored, [name for name, n in added.items() if n])
        return FromGenerator(compute.stored, compute.generator, images.classes, seed=config.seed)
    autoencoder = compute.autoencoder
    if config.method == AUGMENT:
        return AugmentedCopies(
            config.augment, images, config.batch_size, options=config, seed=config.seed
        )
    space: Space
    if autoencoder is None:
        space = PixelSpace(images, images.members(), compute.device, config.batch_size)
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
        space.encode(needed, on_event, world)
    return Interpolation(
        config.method, space, images.classes, options=config, seed=config.seed, on_event=on_event
    )
