"""Names of files and classes as text for people: one line, printable, and not too long."""

from __future__ import annotations

from collections.abc import Sequence

LISTED = 5  # names that one message lists


def printable(name: str) -> str:
    """The name as one line of text that any terminal can show."""
    clean = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return clean if clean.isprintable() else repr(name)[1:-1]


def short(name: str, length: int) -> str:
    """`printable`, cut to at most `length` characters."""
    shown = printable(name)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def listing(names: Sequence[str]) -> str:
    """The first few names and how many more there are, for a message."""
    shown = ", ".join(printable(name) for name in names[:LISTED])
    more = len(names) - LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def number_of(n: int, what: str) -> str:
    """So many things of a kind, in words: "1 image", "2 images"."""
    return f"{n} {what}{'' if n == 1 else 's'}"
