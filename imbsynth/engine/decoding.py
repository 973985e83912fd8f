"""How every command is run: with what its config says about the decoding of image files."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

Report = TypeVar("Report")


def as_configured(run: Callable[..., Report]) -> Callable[..., Report]:
    """The `run` of a command, within the cache and the draft mode of its config.

    See `Caching` and `Drafting` in `configs.shared`.
    """

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
