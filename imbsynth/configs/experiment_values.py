"""The values of options of `experiment` that have a form of their own."""

from __future__ import annotations

import re
from typing import Any

from imbsynth.configs.contenders import CONTENDERS
from imbsynth.configs.values import items, whole_numbers
from imbsynth.kinds import WHOLE, Kind, Unknown


def _parse_shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not match:
        raise ValueError("no share")
    return int(match[1]), int(match[2])


def _accept_shard(value: Any) -> tuple[int, int]:
    which, count = whole_numbers(items(value), count=2)
    if not 1 <= which <= count:
        raise ValueError("out of range")
    return which, count


_UNITS = {"s": 1, "m": 60, "h": 3600}


def _parse_time(text: str) -> int:
    match = re.fullmatch(r"(\d{1,7})([smh])", text)
    if not match:
        raise ValueError("no time")
    return int(match[1]) * _UNITS[match[2]]


def _accept_time(value: Any) -> int:
    """Seconds; a text is one of the command line's."""
    seconds: int = _parse_time(value) if isinstance(value, str) else WHOLE.accept(value)
    if seconds < 1:
        raise ValueError("no time")
    return seconds


def time_text(seconds: int) -> str:
    """As the command line takes it, in the largest unit of which it is a whole number."""
    unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def _accept_methods(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else items(value)
    for name in names:
        if not isinstance(name, str) or name not in CONTENDERS:
            raise Unknown(name, CONTENDERS)
    if not names or len(set(names)) < len(names):
        raise ValueError("none of the methods, or one twice")
    return tuple(names)


SHARD = Kind(
    "the process and how many there are, e.g. (2, 8)",
    _parse_shard,
    _accept_shard,
    lambda shard: f"{shard[0]}/{shard[1]}",
    metavar="I/N",
    written="the process and how many there are, e.g. 2/8",
)
TIME = Kind(
    "a number of seconds, or a text such as 90s, 30m or 2h",
    _parse_time,
    _accept_time,
    time_text,
    metavar="TIME",
    written="a whole number with a unit: 90s, 30m or 2h",
)
METHODS = Kind(
    f"some of {', '.join(CONTENDERS)}, each once",
    lambda text: _accept_methods([name.strip() for name in text.split(",")]),
    _accept_methods,
    ",".join,
    metavar="NAME,NAME,...",
)
