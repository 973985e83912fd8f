"""Kinds of values that an option can have: how each is read from text, checked, and recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Range:
    """An interval of numbers; an end is part of it unless it is open."""

    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = self.low < value if self.open_low else self.low <= value
        finite = self.open_high or math.isinf(self.high)
        return above and (value < self.high if finite else value <= self.high)

    def __str__(self) -> str:
        """To follow "a number": exact."""
        if math.isinf(self.high):
            return f"of {self.low:g} or more"
        if self.open_low or self.open_high:
            return f"in {self.brief}"
        return f"from {self.low} to {self.high}"

    @property
    def brief(self) -> str:
        """To stand alone; an upper end that only keeps out slips of the keyboard is left out."""
        if self.open_low or self.open_high:
            ends = "(" if self.open_low else "[", ")" if self.open_high else "]"
            return f"{ends[0]}{self.low:g}, {self.high:g}{ends[1]}"
        return f"{self.low:g} or more" if self.high >= 1e5 else f"{self.low:,} to {self.high:,}"


SHARE = Range(0, 1, open_low=True)  # of a whole: some or all of it
PART = Range(0, 1, open_low=True, open_high=True)  # some, not all


@dataclass(frozen=True)
class Kind:
    """Values of one type. `parse` and `accept` raise ValueError for what is not of it."""

    form: str  # to follow "give"
    parse: Callable[[str], Any]  # a text of the command line -> a value
    accept: Callable[[Any], Any]  # a Python value -> the value as the config holds it
    record: Callable[[Any], Any] = lambda value: value  # -> a JSON value, the text if it has one
    metavar: str = "TEXT"
    written: str = ""  # `form` where the value is a text
    unset: str = ""  # the text of None
    names: tuple[str, ...] = ()  # where there are only these


class Unknown(ValueError):
    """The value has a name that is not among `names`; `accept` and `parse` may raise it."""

    def __init__(self, name: object, names: Iterable[str]) -> None:
        super().__init__("none of the names")
        self.name, self.names = name, names


class Flag(Kind):
    """A value that is true where it is named."""


class Several(Kind):
    """One value or more, of an argument that takes the rest of the command line."""


def _instance(value: Any, *types: Any) -> Any:
    if not isinstance(value, types) or isinstance(value, bool):
        raise ValueError(f"not of {types}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not a truth value")
    return value


def _paths(value: Any) -> tuple[Path, ...]:
    found = (value,) if isinstance(value, str | PathLike) else value
    if not isinstance(found, list | tuple) or not found:
        raise ValueError("no paths")
    return tuple(PATH.accept(path) for path in found)


def one_of(names: Collection[str]) -> Kind:
    """The kind of a choice between names."""

    def accept(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise Unknown(value, names)
        return value

    listed = ", ".join(names)
    metavar = "|".join(names) if len(listed) < 30 else "NAME"
    return Kind(f"one of {listed}", str, accept, metavar=metavar, names=tuple(names))


WHOLE = Kind("a whole number", int, lambda v: int(_instance(v, Integral)), metavar="N")
NUMBER = Kind("a number", float, lambda v: float(_instance(v, Real)), metavar="X")
TEXT = Kind("a text", str, lambda v: _instance(v, str))
FLAG = Flag("True or False", str, _truth)
PATH = Kind("a path", Path, lambda v: Path(_instance(v, str, PathLike)), metavar="PATH")
PATHS = Several("a path or more", lambda text: [text], _paths, list, metavar="PATH")
KINDS: dict[Any, Kind] = {int: WHOLE, float: NUMBER, str: TEXT, bool: FLAG, Path: PATH}
