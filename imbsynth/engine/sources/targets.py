"""How many synthetic images each class gets, by what the names in a folder tell."""

from __future__ import annotations

from imbsynth.configs import GenerateConfig
from imbsynth.engine.manifest import is_named_synthetic
from imbsynth.engine.reading import Preview
from imbsynth.errors import UserError
from imbsynth.store.names import listing
from imbsynth.store.records import read_counts


def check_names(config: GenerateConfig, preview: Preview) -> None:
    """Raise UserError for what names alone tell: files named like synthetic ones, odd targets."""
    taken = [path for path in preview.folder.paths() if is_named_synthetic(path)]
    if taken:
        raise UserError(
            f"{config.src}: file names that synthetic images have: {listing(taken)}",
            "rename them if they are real, or give the folder without them",
        )
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
