"""What is made: how many images of each class, and whether they are files as they are."""

from __future__ import annotations

from imbsynth.configs import Balancing, GenerateConfig
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.previews import Preview
from imbsynth.engine.sources.rendering import MOST_TRIES
from imbsynth.errors import UserError
from imbsynth.store.names import listing
from imbsynth.store.records import read_counts


def check_targets(config: Balancing, preview: Preview) -> None:
    """Raise UserError for targets that name other classes than the folder has."""
    missing(config, preview.folder.counts)


def missing(config: Balancing, sizes: dict[str, int]) -> dict[str, int]:
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
    return config.only_copies and config.image_size is None


def explain(
    config: GenerateConfig,
    sizes: dict[str, int],
    added: dict[str, int],
    resized: int,
    on_event: OnEvent,
) -> None:
    """Say where a class is too small for what was asked, and where sizes give images away."""
    kept = not (config.synthetic_only or config.reconstruct_originals)
    if any(added.values()) and resized and kept:
        on_event(
            Note(
                "the originals keep their size and the synthetic images have another one: a "
                "classifier could tell them apart by it (resize the folder first, with `imbsynth "
                "convert`, or let an autoencoder reconstruct the originals)"
            )
        )
    explain_sizes(config, sizes, added, on_event)


def explain_sizes(
    config: Balancing, sizes: dict[str, int], added: dict[str, int], on_event: OnEvent
) -> None:
    """Say where a class is too small for what was asked, or none is."""
    if not any(added.values()):
        on_event(Note("every class is large enough already: nothing to add"))
    entry = None if config.generator is not None else SAMPLERS.get(config.method)
    if entry is None or entry.all_classes or "k_neighbors" not in entry.options:
        return  # no neighbors within the class
    growing = {name: n for name, n in sizes.items() if added[name]}
    single = [name for name, n in growing.items() if n == 1]
    if single:
        on_event(Note(f"a single image has no neighbor and is copied: class {listing(single)}"))
    few = [f"{name} ({n - 1})" for name, n in growing.items() if 1 < n <= config.k_neighbors]
    if few:
        on_event(Note(f"fewer neighbors than {config.k_neighbors} in class {listing(few)}"))


def explain_short(wanted: dict[str, int], added: dict[str, int], on_event: OnEvent) -> None:
    """Say which classes a filter left with fewer images than wanted."""
    short = [f"{name} ({added[name]} of {n})" for name, n in wanted.items() if added[name] < n]
    if short:
        on_event(
            Note(
                f"too few images pass the filter, of {MOST_TRIES} drawn for each: class "
                f"{listing(short)}"
            )
        )
