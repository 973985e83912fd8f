"""What surrounds every command: where its images are, how they are decoded, what pictures lack."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from imbsynth.engine.events import Note, silent
from imbsynth.errors import UserError
from imbsynth.store.names import listing

Report = TypeVar("Report")


def as_configured(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, on local folders, within the cache, the draft mode and the memory.

    See `Caching`, `Drafting` and `InMemory` in `configs.shared`, and `source` in `options.Option`.
    At its end, a note names the letters that its pictures could not show.
    """
    run = _telling_of_letters(_within_memory(_on_local_folders(run)))

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        folder, draft = getattr(config, "cache", None), getattr(config, "draft", False)
        if folder is None and not draft:
            return run(config, **options)
        from imbsynth.store.drafts import drafted
        from imbsynth.store.outputs import check_outside
        from imbsynth.store.picture_cache import kept_in

        check_outside(folder, *_other_places(config))
        with kept_in(folder), drafted(draft):
            return run(config, **options)

    return within


def _within_memory(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, where images take no more memory than its config allows."""

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        if not hasattr(config, "memory"):
            return run(config, **options)
        from imbsynth.runtime import launched
        from imbsynth.store.memory import USUAL, limit_of, limited

        place = launched()
        with limited(limit_of(config.memory or USUAL, place.local_size if place else 1)):
            return run(config, **options)

    return within


def _telling_of_letters(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, with a note at its end on the letters that no font here has."""

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        from imbsynth.figures.fonts import undrawn_letters

        with undrawn_letters() as letters:
            report = run(config, **options)
        if letters:
            options.get("on_event", silent)(
                Note(
                    f"no installed font has {listing(sorted(letters))}: pictures show boxes in "
                    "their place. Install a font that has them, such as Noto Sans CJK for Chinese, "
                    "Japanese and Korean or Noto Emoji for emoji, and run the command again"
                )
            )
        return report

    return within


def _on_local_folders(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, with a local folder in place of tar shards and addresses."""

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        from imbsynth.engine import local_sources as local

        fetches = local.sources_to_fetch(config)
        if not fetches:
            return run(config, **options)
        on_event = options.get("on_event", silent)
        with local.fetched_sources(config, fetches, on_event) as (changed, reword):
            options["on_event"] = local.with_words(on_event, reword)
            try:
                return local.reworded(run(changed, **options), reword)
            except UserError as error:
                raise error.reworded(reword) from None

    return within


def _other_places(config: Any) -> list[Path]:
    """Every folder or file that a command reads or writes, but for its cache.

    `data` is the folder above those that an experiment reads: a cache may stand beside them.
    """
    found: list[Path] = []
    for name, value in vars(config).items():
        if name not in ("cache", "data"):
            values = value if isinstance(value, (list, tuple)) else [value]
            found += [one for one in values if isinstance(one, Path)]
    return found
