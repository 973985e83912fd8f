"""Kinds of values that have a form of their own: sizes, shares of a folder, times, ..."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imbsynth.kinds import NUMBER, PATH, SHARE, TEXT, WHOLE, Kind, Range

MAX_PIXELS = 100_000_000  # an image


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if not match:
        raise ValueError("no size")
    return _accept_size((int(match[1]), int(match[2] or match[1])))


def _accept_size(value: Any) -> tuple[int, int]:
    """(height, width), or one number for both."""
    sides = [value, value] if isinstance(value, int) else items(value)
    height, width = whole_numbers(sides, count=2)
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ValueError("out of range")
    return height, width


def _accept_channels(value: Any) -> int:
    if WHOLE.accept(value) not in (1, 3):
        raise ValueError("neither 1 nor 3")
    return value


def _accept_fractions(value: Any) -> tuple[float, ...]:
    shares = items(value)
    if not all(isinstance(share, float | int) and 0 < share < 1 for share in shares):
        raise ValueError("no shares")
    if len(shares) not in (2, 3):
        raise ValueError("too few or too many")
    return tuple(map(float, shares))


def _accept_interval(value: Any) -> tuple[float, float]:
    """(low, high) within [0, 1]; they may be equal."""
    ends = tuple(float(NUMBER.accept(end)) for end in items(value))
    if len(ends) != 2 or not 0 <= ends[0] <= ends[1] <= 1:
        raise ValueError("no interval")
    return ends[0], ends[1]


def _accept_counts(value: Any) -> tuple[int, ...] | dict[str, int]:
    """Numbers in class-name order, or {class: number}."""
    if not isinstance(value, Mapping):
        return whole_numbers(items(value))
    if not all(isinstance(name, str) for name in value):
        raise ValueError("a class without a name")
    return dict(zip(value, whole_numbers(list(value.values())), strict=True))


def _record_counts(value: Any) -> str | dict[str, int]:
    return value if isinstance(value, dict) else ",".join(map(str, value))


def _parse_device(text: str) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", text):
        raise ValueError("no device")
    return text


def _auto_or(range_: Range) -> Kind:
    """A number in a range, or "auto"."""

    def accept(value: Any) -> float | str:
        if isinstance(value, str) and value == "auto":
            return value
        number: float = NUMBER.accept(value)
        if number not in range_:
            raise ValueError("out of range")
        return number

    def parse(text: str) -> float | str:
        return text if text == "auto" else float(text)

    return Kind(f"auto, or a number {range_}", parse, accept, metavar="auto|X")


def _parse_weights(text: str) -> Path | str:
    return text if text == "auto" else Path(text)


def _accept_weights(value: Any) -> Path | str:
    """A path, or "auto"."""
    return value if isinstance(value, str) and value == "auto" else PATH.accept(value)


def _parse_recalls(text: str) -> dict[str, float]:
    """Class names may have commas and equal signs in them: a number ends each."""
    found = re.findall(r"(.+?)=([0-9.]+)(?:,|$)", text)
    if ",".join(f"{name}={share}" for name, share in found) != text:
        raise ValueError("not CLASS=SHARE,...")
    if len({name for name, _ in found}) < len(found):
        raise ValueError("a class twice")
    return {name: float(share) for name, share in found}


def _accept_recalls(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError("no recalls")
    shares = {name: float(NUMBER.accept(share)) for name, share in value.items()}
    if not all(isinstance(name, str) and share in SHARE for name, share in shares.items()):
        raise ValueError("no name, or no share")
    return shares


def _accept_pattern(value: Any) -> str:
    """A regular expression with a group in it; it stays a text."""
    text: str = TEXT.accept(value)
    try:
        groups = re.compile(text).groups
    except (re.error, OverflowError, RecursionError):
        raise ValueError("no regular expression") from None
    if not groups:
        raise ValueError("no group")
    return text


def _parse_memory(text: Any) -> str:
    """A share of memory or a size; it stays a text."""
    found = re.fullmatch(
        r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(%|[KkMmGgTt][Ii]?[Bb])", TEXT.accept(text)
    )
    if found is None or not 0 < float(found[1]) <= (100 if found[2] == "%" else math.inf):
        raise ValueError("no size")
    return text


def items(value: Any) -> list[Any]:
    """The values of a sequence; ValueError for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError("no sequence")
    return list(value)


def whole_numbers(values: list[Any], count: int | None = None) -> Any:
    """Them as a tuple of whole numbers; ValueError for others, or for another count."""
    if count is not None and len(values) != count:
        raise ValueError(f"not {count} numbers")
    return tuple(WHOLE.accept(value) for value in values)


SIZE = Kind(
    f"(height, width) in pixels, one number for both, or None; at most {MAX_PIXELS:,} pixels",
    _parse_size,
    _accept_size,
    lambda size: f"{size[0]}x{size[1]}" if size[0] != size[1] else str(size[0]),
    metavar="auto|N|HxW",
    written=f"auto, a number (32), or height x width (28x28), at most {MAX_PIXELS:,} pixels",
    unset="auto",
)
CHANNELS = Kind(
    "1 for gray, 3 for colour, or None",
    int,
    _accept_channels,
    str,
    metavar="auto|1|3",
    written="auto, 1 for gray, or 3 for colour",
    unset="auto",
    names=("auto", "1", "3"),
)
FRACTIONS = Kind(
    "two (train, test) or three (train, val, test) numbers between 0 and 1, e.g. 0.8,0.1,0.1",
    lambda text: [float(share) for share in text.split(",")],
    _accept_fractions,
    lambda shares: ",".join(map(repr, shares)),
    metavar="F,F[,F]",
)
INTERVAL = Kind(
    "two numbers from 0 to 1, the lower first, e.g. 0,0.5",
    lambda text: [float(end) for end in text.split(",")],
    _accept_interval,
    lambda ends: ",".join(str(int(end)) if end == int(end) else repr(end) for end in ends),
    metavar="LOW,HIGH",
)
COUNTS = Kind(
    "whole numbers in class-name order, e.g. 4000,2000,1000",
    lambda text: [int(count) for count in text.split(",")],
    _accept_counts,
    _record_counts,
    metavar="N,N,...",
)
PATTERN = Kind(
    "a regular expression with brackets around the group, e.g. '^(.+)_'",
    str,
    _accept_pattern,
    metavar="REGEX",
)
TAU = _auto_or(Range(-10, 10))
TEMPERATURE = _auto_or(Range(0.01, 100))
WEIGHTS = Kind("auto, or a file", _parse_weights, _accept_weights, metavar="auto|FILE")
RECALLS = Kind(
    "a recall in (0, 1] for each class, e.g. {'cat': 0.95}",
    _parse_recalls,
    _accept_recalls,
    lambda recalls: ",".join(f"{name}={share:g}" for name, share in recalls.items()),
    metavar="CLASS=X,...",
    written="a recall in (0, 1] for each class, e.g. cat=0.95,dog=0.9",
)
MEMORY = Kind(
    "a size, e.g. '8GB' or '512MB', or a share, e.g. '50%'",
    _parse_memory,
    _parse_memory,
    metavar="SIZE",
    written="a size, e.g. 8GB or 512MB, or a share, e.g. 50%",
    unset="50%",
)
DEVICE = Kind(
    "auto, cpu, cuda or cuda:N", _parse_device, _parse_device, metavar="auto|cpu|cuda|cuda:N"
)
