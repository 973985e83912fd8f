"""How every command is run: with the folder that keeps decoded images, if it was given one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Report = TypeVar("Report")


def caching(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, within the cache of its config (see `configs.shared.Caching`)."""

    @wraps(run)
    def within(config: Any, **options: Any) -> Report:
        folder = getattr(config, "cache", None)
        if folder is None:
            return run(config, **options)
        from imbsynth.store.picture_cache import kept_in

        with kept_in(folder):
            return run(config, **options)

    return within
