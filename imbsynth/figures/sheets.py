"""Contact sheets: labelled rows of small images, enlarged until a person can see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imbsynth.figures.fonts import font_for, usual_font
from imbsynth.store.images import as_picture
from imbsynth.store.names import short
from imbsynth.store.pictures import save_sheet

SMALLEST, LARGEST = 56, 160  # pixels that an image's longer side is enlarged or shrunk to
MAX_ROWS = 24
MARGIN, GAP, GROUP_GAP = 8, 2, 12  # pixels
LABEL, CAPTION = 24, 16  # characters
FONT_SIZE = 13
PAPER, INK = (255, 255, 255), (30, 30, 30)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class _Letters:
    """Writes in DejaVu Sans, and what that lacks in installed fonts."""

    def __init__(self) -> None:
        path = usual_font()
        self.usual: _Font = (
            ImageFont.load_default(FONT_SIZE)
            if path is None
            else ImageFont.truetype(str(path), FONT_SIZE)
        )

    def width(self, text: str) -> int:
        """In pixels."""
        return int(sum(font.getlength(part) for font, _, part in self._parts(text)))

    def write(self, draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str) -> None:
        """place: of the top left corner."""
        left, top = float(place[0]), place[1]
        for font, lower, part in self._parts(text):
            draw.text((left, top + lower), part, INK, font)
            left += font.getlength(part)

    def _parts(self, text: str) -> Iterator[tuple[_Font, int, str]]:
        """Fonts, the pixels by which each is lowered to stand on the same line, and texts."""
        for found, letters in groupby(text, font_for):
            if found is None or not isinstance(self.usual, ImageFont.FreeTypeFont):
                yield self.usual, 0, "".join(letters)
            else:
                font = ImageFont.truetype(str(found.path), FONT_SIZE)
                lower = self.usual.getmetrics()[0] - font.getmetrics()[0]
                yield font, lower, "".join(letters)


class SheetRow(NamedTuple):
    """A row of the sheet."""

    label: str
    groups: list[list[NDArray[np.uint8]]]  # (c, h, w) images, in groups with a gap between
    captions: Sequence[Sequence[str]] = ()  # one below each image, or none at all


def write_sheet(path: Path | IO[bytes], rows: Sequence[SheetRow], headings: Sequence[str]) -> None:
    """Draw the first MAX_ROWS rows, with a heading over each group, and say how many are left."""
    shown, left_out = rows[:MAX_ROWS], len(rows) - MAX_ROWS
    letters = _Letters()
    size = _drawn_size(shown[0].groups[0][0])
    cell_h, cell_w = _cell_size(size, shown, letters)
    labels = [short(row.label, LABEL) for row in shown]
    left = MARGIN + max(letters.width(label) for label in labels) + GROUP_GAP
    top = MARGIN + FONT_SIZE + GROUP_GAP

    widest = max(shown, key=lambda row: sum(map(len, row.groups)))
    *starts, end = _group_starts(widest, left, cell_w)
    last = headings[len(starts) - 1] if len(headings) >= len(starts) else ""
    width = max(end, starts[-1] + letters.width(last))
    height = top + len(shown) * cell_h + (2 * FONT_SIZE if left_out > 0 else 0)
    sheet = Image.new("RGB", (width + MARGIN, height + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    for start, heading in zip(starts, headings, strict=False):
        letters.write(draw, (start, MARGIN), heading)
    for index, (row, label) in enumerate(zip(shown, labels, strict=True)):
        y = top + index * cell_h
        letters.write(draw, (MARGIN, y + (size[0] - FONT_SIZE) // 2), label)
        for start, group in zip(starts, row.groups, strict=False):
            for column, pixels in enumerate(group):
                sheet.paste(_drawn(pixels, size), (start + column * cell_w, y))
        for start, texts in zip(starts, row.captions, strict=False):
            for column, text in enumerate(texts):
                place = (start + column * cell_w, y + size[0])
                letters.write(draw, place, short(text, CAPTION))
    if left_out > 0:
        letters.write(draw, (MARGIN, height - FONT_SIZE), f"and {left_out} more classes")
    save_sheet(sheet, path)


def _cell_size(
    size: tuple[int, int], rows: Sequence[SheetRow], letters: _Letters
) -> tuple[int, int]:
    """(height, width) in pixels of an image with its caption and the gaps."""
    captions = [text for row in rows for texts in row.captions for text in texts]
    if not captions:
        return size[0] + GAP, size[1] + GAP
    widest = max(letters.width(short(text, CAPTION)) for text in captions)
    return size[0] + FONT_SIZE + 4 * GAP, max(size[1], widest) + 4 * GAP


def _drawn_size(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """(height, width) on the sheet: small images by whole pixels, large ones shrunk."""
    height, width = pixels.shape[1:]
    longer = max(height, width)
    if longer <= LARGEST:
        scale = max(1, -(-SMALLEST // longer))
        return height * scale, width * scale
    return max(1, height * LARGEST // longer), max(1, width * LARGEST // longer)


def _group_starts(row: SheetRow, left: int, cell_w: int) -> list[int]:
    """Where each group begins, and where the last one ends, in pixels."""
    starts = [left]
    for group in row.groups:
        starts.append(starts[-1] + len(group) * cell_w + GROUP_GAP)
    return starts


def _drawn(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    image = as_picture(pixels)
    enlarged = size[0] >= image.height
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BICUBIC
    return image.resize((size[1], size[0]), how)
