"""What `generate` makes: how many images of each class, and whether they are files as they are."""

from __future__ import annotations

from imbsynth.configs import GenerateConfig
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.previews import Preview
from imbsynth.errors import UserError
from imbsynth.store.names import listing
from imbsynth.store.records import read_counts


def check_targets(config: GenerateConfig, preview: Preview) -> None:
    """Raise UserError for targets that name other classes than the folder has."""
    missing(config, preview.folder.counts)


def missing(config: GenerateConfig, sizes: dict[str, int]) -> dict[str, int]:
    """How many synthetic images each class gets; none is ever made smaller."""
    if config.share is not None:
        return {name: round(n * config.share / (1 - config.share)) for name, n in sizes.items()}
    if config.per_class is None:
        targets = dict.fromkeys(sizes, config.to or max(sizes.values()))
    else:
        targets = read_counts(config.per_class)
        strange = sorted(targets.keys() - sizes)
        if strange:
            raise UserError(
                f"{config.per_class} names no class of {config.src}: {listing(strange)}",
                f"use its classes: {listing(list(sizes))}",
            )
    return {name: max(0, targets.get(name, 0) - n) for name, n in sizes.items()}


def copies_files(config: GenerateConfig) -> bool:
    """Whether the synthetic images are files of the folder as they are."""
    only_copies = config.method in SAMPLERS and SAMPLERS[config.method].copies
    return only_copies and config.ae is None and config.image_size is None
