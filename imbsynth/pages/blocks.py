"""What a page consists of: sections of texts, tables, pictures and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias


class Text(NamedTuple):
    """A paragraph."""

    text: str


class Items(NamedTuple):
    """A list of short texts."""

    items: Sequence[str]


class CommandLines(NamedTuple):
    """Lines for a shell."""

    lines: Sequence[str]


class Bar(NamedTuple):
    """A number with a bar, a cell of a table."""

    text: str
    share: float  # of the cell's width, in [0, 1]
    lighter: float = 0.0  # a second part of the bar; both together at most 1


class Span(NamedTuple):
    """A number with its interval, drawn on an axis that all cells of a column share."""

    text: str
    low: float  # places on the axis, in [0, 1]
    value: float
    high: float


Cell: TypeAlias = "str | Bar | Span"


class Table(NamedTuple):
    """Rows of cells; the first of each row is its header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    marked: Sequence[int] = ()  # rows that stand out
    words: Sequence[int] = ()  # columns that hold words, not numbers


class Picture(NamedTuple):
    """A PNG file."""

    data: bytes
    size: tuple[int, int]  # (height, width) in pixels
    alt: str  # what it shows, for those who do not see it
    caption: str


class Section(NamedTuple):
    """A heading, and what is below it."""

    title: str
    blocks: Sequence[Block]


Block: TypeAlias = "Text | Items | CommandLines | Table | Picture | Section"
