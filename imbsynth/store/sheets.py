"""Contact sheets: labelled rows of small images, enlarged until a person can see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imbsynth.store.folders import printable
from imbsynth.store.images import as_picture

LEGIBLE = 56  # pixels a side that a small image is at least enlarged to
MAX_ROWS = 24
MARGIN, GAP, GROUP_GAP = 8, 2, 12  # pixels
FONT_SIZE = 13
PAPER, INK = (255, 255, 255), (30, 30, 30)


class Row(NamedTuple):
    """A line of the sheet."""

    label: str
    groups: list[list[NDArray[np.uint8]]]  # (c, h, w) images, set apart in groups


def write_sheet(path: Path, rows: Sequence[Row], headings: Sequence[str]) -> None:
    """Draw at most MAX_ROWS rows with a heading over each group of the first row."""
    rows = rows[:MAX_ROWS]
    font = ImageFont.load_default(FONT_SIZE)
    height, width = rows[0].groups[0][0].shape[1:]
    scale = max(1, -(-LEGIBLE // max(height, width)))
    cell_h, cell_w = height * scale + GAP, width * scale + GAP
    labels = [_short(printable(row.label)) for row in rows]
    left = MARGIN + max(int(font.getlength(label)) for label in labels) + GROUP_GAP
    top = MARGIN + FONT_SIZE + GROUP_GAP

    widest = max(rows, key=lambda row: sum(map(len, row.groups)))
    starts = _group_starts(widest, left, cell_w)
    sheet = Image.new("RGB", (starts[-1] + MARGIN, top + len(rows) * cell_h + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    for start, heading in zip(starts, headings, strict=False):
        draw.text((start, MARGIN), heading, INK, font)
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + index * cell_h
        draw.text((MARGIN, y + (cell_h - FONT_SIZE) // 2), label, INK, font)
        for start, group in zip(starts, row.groups, strict=False):
            for column, pixels in enumerate(group):
                sheet.paste(_enlarged(pixels, scale), (start + column * cell_w, y))
    sheet.save(path, format="PNG")


def _group_starts(row: Row, left: int, cell_w: int) -> list[int]:
    """Where each group begins, and where the last one ends, in pixels."""
    starts = [left]
    for group in row.groups:
        starts.append(starts[-1] + len(group) * cell_w + GROUP_GAP)
    return starts


def _enlarged(pixels: NDArray[np.uint8], scale: int) -> Image.Image:
    image = as_picture(pixels)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def _short(label: str, length: int = 24) -> str:
    return label if len(label) <= length else label[: length - 1] + "…"
