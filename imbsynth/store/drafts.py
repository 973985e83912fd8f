"""Whether large JPEG files are decoded at a fraction of their size, in all threads of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_wanted: list[bool] = []  # the innermost block of `drafted` is last


@contextmanager
def drafted(wanted: bool) -> Iterator[None]:
    """A block in which they are, or not; in nested blocks the outer wish holds as well."""
    _wanted.append(wanted or drafting())
    try:
        yield
    finally:
        _wanted.pop()


def drafting() -> bool:
    """Whether they are now."""
    return bool(_wanted) and _wanted[-1]
