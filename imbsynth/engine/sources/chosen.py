"""The source of images that the options of `generate` ask for."""

from __future__ import annotations

import torch

from imbsynth.configs import AUGMENT, GenerateConfig
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import OnEvent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled
from imbsynth.engine.sources.augmented import AugmentedCopies
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.source import Source
from imbsynth.engine.sources.spaces import Pixels, Space, latent_space


def source_of(
    config: GenerateConfig,
    device: torch.device,
    autoencoder: TrainedAutoencoder | None,
    images: Labelled,
    added: dict[str, int],
    on_event: OnEvent,
) -> Source:
    """The source; autoencoder: in whose latent space a sampler works, if not on pixels."""
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
