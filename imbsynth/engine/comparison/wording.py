"""Scores, differences and names as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence


def percent(value: float) -> str:
    """A share in percent, without the sign."""
    return f"{100 * value:.1f}"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return minus(f"{100 * value:+.1f}")


def minus(text: str) -> str:
    """Numbers with the sign that is as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}")


def between(low: float, high: float) -> str:
    """An interval of a share, in percent."""
    return f"{percent(low)} to {percent(high)}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
