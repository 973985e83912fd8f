"""The source of images that the options of `generate` ask for."""

from __future__ import annotations

from typing import NamedTuple

import torch

from imbsynth.configs import AUGMENT, GenerateConfig
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import OnEvent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.inference.generator import Stored, TrainedGenerator, load_generator
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.augmented import AugmentedCopies
from imbsynth.engine.sources.generated import FromGenerator, check_classes
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.source import Source
from imbsynth.engine.sources.spaces import Pixels, Space, latent_space
from imbsynth.runtime import resolve_device, resolve_precision


class Compute(NamedTuple):
    """Where and how numbers are computed, and the networks that are asked for."""

    device: torch.device
    precision: str = "fp32"
    autoencoder: TrainedAutoencoder | None = None  # in whose latent space a sampler works
    stored: Stored | None = None  # of a generator, the checkpoint
    generator: TrainedGenerator | None = None

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the images that a network takes or makes."""
        if self.autoencoder is not None:
            return self.autoencoder.model.shape[:3]
        return None if self.generator is None else self.generator.shape[:3]


def compute_of(config: GenerateConfig) -> Compute:
    """Load the networks that the options name."""
    device = resolve_device(config.device)
    if config.generator is not None:
        precision = resolve_precision(config.precision, device)
        stored = load_generator(config.generator)
        generator = TrainedGenerator(stored.model, stored.shape, device, precision)
        return Compute(device, precision, stored=stored, generator=generator)
    if config.ae is not None:
        precision = resolve_precision(config.precision, device)
        autoencoder = TrainedAutoencoder(load_autoencoder(config.ae), device, precision)
        return Compute(device, precision, autoencoder)
    return Compute(device)


def source_of(
    config: GenerateConfig,
    compute: Compute,
    images: Labelled,
    added: dict[str, int],
    on_event: OnEvent,
) -> Source:
    """The source of the synthetic images of a folder."""
    if compute.stored is not None and compute.generator is not None:
        check_classes(compute.stored, [name for name, n in added.items() if n])
        return FromGenerator(compute.stored, compute.generator, images.classes, seed=config.seed)
    device, autoencoder = compute.device, compute.autoencoder
    if config.method == AUGMENT:
        return AugmentedCopies(
            config.augment, images, config.batch_size, options=config, seed=config.seed
        )
    space: Space
    if autoencoder is None:
        space = Pixels(images, images.members(), device, config.batch_size)
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
