"""How every command is run: with the folder that keeps decoded images, if it was given one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

Report = TypeVar("Report")


def caching(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, within the cache of its config (see `configs.shared.Caching`)."""

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        folder = getattr(config, "cache", None)
        if folder is None:
            return run(config, **options)
        from imbsynth.store.outputs import check_outside
        from imbsynth.store.picture_cache import kept_in

        check_outside(folder, *_other_places(config))
        with kept_in(folder):
            return run(config, **options)

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
