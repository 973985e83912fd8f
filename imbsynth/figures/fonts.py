"""Fonts for names in any script: installed ones, for letters that DejaVu Sans lacks.

DejaVu Sans comes with matplotlib. Nothing is looked up, and matplotlib not loaded, for names in
Latin, Greek and Cyrillic letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

USUAL = "\u052f"  # DejaVu Sans has the letters up to this one,
ALSO = "…"  # and this sign, with which long names end
# macOS has it: it has a sign for each script, which it shows for every letter of the script.
PLACEHOLDERS = re.compile("Last ?Resort")


class Font(NamedTuple):
    """An installed font."""

    family: str
    path: Path


_font_of: dict[str, Font | None] = {}  # by letter looked up; None: DejaVu Sans has it, or no font
_undrawn: list[set[str]] = []  # of each block of `undrawn_letters`, the innermost last
_nowhere: set[str] = set()  # letters that no font has


@contextmanager
def undrawn_letters() -> Iterator[set[str]]:
    """The letters that pictures drawn in the block have no font for; filled as they are drawn."""
    found: set[str] = set()
    _undrawn.append(found)
    try:
        yield found
    finally:
        _undrawn.pop()


def font_for(letter: str) -> Font | None:
    """The installed font for a letter; None for DejaVu Sans, also where no font has the letter."""
    return fonts_for(letter).get(letter)


def fonts_for(text: str) -> dict[str, Font]:
    """For the letters of a text that DejaVu Sans lacks, the installed fonts that have them."""
    strange = {letter for letter in text if letter > USUAL and letter not in ALSO}
    if new := strange - _font_of.keys():
        _look_up(new)
    for block in _undrawn:
        block |= strange & _nowhere
    return {letter: font for letter in strange if (font := _font_of[letter]) is not None}


def usual_font() -> Path | None:
    """The file of DejaVu Sans among those of matplotlib."""
    found = find_spec("matplotlib")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, "mpl-data/fonts/ttf/DejaVuSans.ttf")
        if path.is_file():
            return path
    return None


def _look_up(letters: set[str]) -> None:
    """Find fonts for these letters: as few as possible, so that a name is drawn in one style."""
    _font_of.update(dict.fromkeys(letters))
    usual = usual_font()
    left = letters - (set() if usual is None else _had_by(usual, letters))
    had = {font: _had_by(font.path, left) for font in _installed()} if left else {}
    while left and had:
        best = max(had, key=lambda font: len(had[font] & left))
        if not (covered := had[best] & left):
            break
        _font_of.update(dict.fromkeys(covered, best))
        left -= covered
    _nowhere.update(left)


def _had_by(path: Path, letters: set[str]) -> set[str]:
    """Those of the letters that a font has."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(str(path))
    except (OSError, RuntimeError):  # gone, or damaged
        return set()
    return {letter for letter in letters if font.get_char_index(ord(letter))}


@cache
def _installed() -> list[Font]:
    """The fonts that matplotlib can draw with, upright ones of usual weight first."""
    from matplotlib.font_manager import fontManager

    def unusual(entry: FontEntry) -> tuple[bool, bool, bool, str]:
        plain = entry.weight in (400, "normal", "regular")
        return not plain, entry.style != "normal", not entry.name.startswith("Noto"), entry.name

    # Only the first font of a collection can be opened by its file alone.
    first = (entry for entry in fontManager.ttflist if not getattr(entry, "index", 0))
    fonts = [Font(entry.name, Path(entry.fname)) for entry in sorted(first, key=unusual)]
    return [font for font in fonts if not PLACEHOLDERS.search(font.family)]
