"""The fields of JSON values that another program may have written, each checked as it is read."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Any] | Sequence[Any]  # a JSON object or list
INT64_MAX = 2**63 - 1  # no whole number that we write is larger


class Wrong(ValueError):
    """A field is missing, of another type, or out of its range; the message names it."""


def parsed(data: str | bytes) -> Any:
    """The value of a JSON text; Wrong if it is not one, or nested too deeply to be read."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Wrong(str(error)) from None


def field(found: Values, name: str | int) -> Any:
    """The value of a field of any type, or an item of a list; Wrong if it is missing."""
    if isinstance(found, Mapping):
        if isinstance(name, str) and name in found:
            return found[name]
    elif isinstance(name, int) and 0 <= name < len(found):
        return found[name]
    raise Wrong(f"{_shown(name)} is missing")


def text(found: Values, name: str | int) -> str:
    """A string."""
    value = field(found, name)
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def flag(found: Values, name: str | int) -> bool:
    """True or False."""
    value = field(found, name)
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def whole(found: Values, name: str | int, low: int | None = None, high: int | None = None) -> int:
    """A whole number from `low` to `high`, both included; 3.0 is one too."""
    value = field(found, name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT64_MAX
    if not is_whole or not _within(value, low, high):
        raise _wrong(name, value, f"a whole number{_range(low, high)}")
    return value


def finite(
    found: Values, name: str | int, low: float | None = None, high: float | None = None
) -> float:
    """A number from `low` to `high`, both included; neither NaN nor infinite."""
    value = field(found, name)
    if not _is_finite(value) or not _within(value, low, high):
        raise _wrong(name, value, f"a finite number{_range(low, high)}")
    return float(value)


def mapping(found: Values, name: str | int) -> dict[str, Any]:
    """A JSON object."""
    return as_mapping(field(found, name), name)


def as_mapping(value: Any, name: str | int) -> dict[str, Any]:
    """A value that stands in no field, as a JSON object; `name` is for the message."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _wrong(name, value, "an object")
    return value


def sequence(found: Values, name: str | int, length: int | None = None) -> list[Any]:
    """A JSON list, of `length` items if that is given."""
    value = field(found, name)
    if not isinstance(value, list):
        raise _wrong(name, value, "a list")
    if length is not None and len(value) != length:
        raise Wrong(f"{_shown(name)} has {len(value)} items, not {length}")
    return value


def texts(found: Values, name: str | int) -> list[str]:
    """A list of strings."""
    values = sequence(found, name)
    return [text(values, i) for i in range(len(values))]


def counts(found: Values, name: str | int, least: int = 0) -> dict[str, int]:
    """{name: whole number}, each at least `least`; may be empty."""
    values = mapping(found, name)
    return {key: whole(values, key, least) for key in values}


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):
        return abs(value) <= sys.float_info.max
    return math.isfinite(value)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f" up to {high:g}"
    return f" from {low:g}" if high is None else f" from {low:g} to {high:g}"


def _wrong(name: str | int, value: Any, wanted: str) -> Wrong:
    return Wrong(f"{_shown(name)} is {_shown(value)}, not {wanted}")


def _shown(value: Any) -> str:
    """A value as one short line."""
    shown = value if isinstance(value, str) and value.isidentifier() else _repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def _repr(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) >= 10**40:  # Python prints no integer of any length
        return "a very large number"
    return repr(value)
