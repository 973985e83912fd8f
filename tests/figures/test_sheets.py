from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imbsynth.figures.sheets import LARGEST, MAX_ROWS, SMALLEST, SheetRow, write_sheet
from tests.store.conftest import noise

Colour = tuple[int, int, int]
RED, LIME, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def plain(colour: Colour, height: int = 4, width: int = 4) -> NDArray[np.uint8]:
    """A (3, h, w) image of one colour."""
    return np.broadcast_to(np.array(colour, np.uint8)[:, None, None], (3, height, width)).copy()


def drawn(path: Path, rows: list[SheetRow], headings: list[str] | None = None) -> NDArray[np.uint8]:
    """The (h, w, 3) pixels of the sheet."""
    write_sheet(path / "sheet.png", rows, headings or [])
    with Image.open(path / "sheet.png") as image:
        return np.asarray(image)


def box(sheet: NDArray[np.uint8], colour: Colour) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the one rectangle of a colour, ends exclusive."""
    rows, columns = np.nonzero((sheet == colour).all(-1))
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    assert len(rows) == (bottom - top) * (right - left)
    return int(top), int(bottom), int(left), int(right)


def test_a_small_image_is_enlarged_until_it_can_be_seen(tmp_path: Path) -> None:
    top, bottom, left, right = box(drawn(tmp_path, [SheetRow("cat", [[plain(RED)]])]), RED)
    assert (bottom - top, right - left) == (SMALLEST, SMALLEST)


def test_a_large_image_keeps_its_size(tmp_path: Path) -> None:
    sheet = drawn(tmp_path, [SheetRow("cat", [[plain(RED, SMALLEST + 4, SMALLEST - 9)]])])
    top, bottom, left, right = box(sheet, RED)
    assert (bottom - top, right - left) == (SMALLEST + 4, SMALLEST - 9)


def test_a_photograph_is_shrunk(tmp_path: Path) -> None:
    sheet = drawn(tmp_path, [SheetRow("cat", [[plain(RED, 300, 600)]])])
    top, bottom, left, right = box(sheet, RED)
    assert (bottom - top, right - left) == (LARGEST // 2, LARGEST)


def test_enlarging_does_not_blur(tmp_path: Path) -> None:
    pixels = noise(0, 3, 7, 7)
    framed = np.pad(pixels, ((0, 0), (1, 0), (1, 0)))  # its black corner says where it begins
    sheet = drawn(tmp_path, [SheetRow("", [[framed]])])
    rows, columns = np.nonzero((sheet == 0).all(-1))
    factor = SMALLEST // 8
    shown = sheet[rows.min() :, columns.min() :][:SMALLEST, :SMALLEST]
    assert (shown == framed.transpose(1, 2, 0).repeat(factor, 0).repeat(factor, 1)).all()


def test_rows_go_down_and_groups_go_right_with_a_wider_gap(tmp_path: Path) -> None:
    black = plain((0, 0, 0))
    rows = [
        SheetRow("a", [[plain(RED), plain(LIME)], [plain(BLUE)]]),
        SheetRow("b", [[black], [black]]),
    ]
    sheet = drawn(tmp_path, rows)
    red, lime, blue = (box(sheet, colour) for colour in (RED, LIME, BLUE))
    assert red[:2] == lime[:2] == blue[:2]
    assert 0 < lime[2] - red[3] < blue[2] - lime[3]
    below = np.nonzero((sheet == 0).all(-1))[0]
    assert below.min() > red[1]


def test_gray_and_colour_may_stand_side_by_side(tmp_path: Path) -> None:
    sheet = drawn(tmp_path, [SheetRow("", [[np.full((1, 4, 4), 77, np.uint8), plain(RED)]])])
    assert box(sheet, (77, 77, 77))[3] < box(sheet, RED)[2]


def test_a_row_may_be_shorter_than_the_widest(tmp_path: Path) -> None:
    rows = [SheetRow("a", [[plain(RED)]]), SheetRow("b", [[plain(LIME)] * 3, [plain(BLUE)]])]
    sheet = drawn(tmp_path, rows)
    assert box(sheet, RED)[1] < box(sheet, BLUE)[0]


def test_the_sheet_ends_after_so_many_rows(tmp_path: Path) -> None:
    colours = [(255, level, 0) for level in range(MAX_ROWS + 2)]
    sheet = drawn(tmp_path, [SheetRow("", [[plain(colour)]]) for colour in colours])
    shown = [colour for colour in colours if (sheet == colour).all(-1).any()]
    assert shown == colours[:MAX_ROWS]


LABELS = ["", "two words", "a\nb", "caf\udce9", "日本 😀", "\x1b[2J", "a" * 500]


@pytest.mark.parametrize("label", LABELS)
def test_any_class_name_can_be_a_label(tmp_path: Path, label: str) -> None:
    sheet = drawn(tmp_path, [SheetRow(label, [[plain(RED)]])], ["originals"])
    assert box(sheet, RED)
    assert sheet.shape[1] < 600  # a long name is cut


def test_headings_stand_above_the_groups(tmp_path: Path) -> None:
    row = SheetRow("", [[plain(RED)], [plain(BLUE)]])
    with_heading = drawn(tmp_path, [row], ["", "fakes"])
    ink = np.nonzero((with_heading != drawn(tmp_path, [row])).any(-1))
    blue = box(with_heading, BLUE)
    assert ink[0].max() < blue[0]
    assert ink[1].min() >= blue[2]


def test_the_same_sheet_is_the_same_bytes(tmp_path: Path) -> None:
    rows = [SheetRow("cat", [[noise(0, 3, 9, 9), noise(1, 3, 9, 9)]])]
    for name in ("a.png", "b.png"):
        write_sheet(tmp_path / name, rows, ["originals"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_captions_stand_below_their_images_and_push_them_apart(tmp_path: Path) -> None:
    images = [plain(RED), plain(BLUE)]
    row = SheetRow("cat", [images], [["0.97 a long name", ""]])
    bare, sheet = drawn(tmp_path, [SheetRow("cat", [images])]), drawn(tmp_path, [row])
    top, bottom, left, right = box(sheet, RED)
    assert (bottom - top, right - left) == (SMALLEST, SMALLEST)
    assert (sheet[bottom:, left:] < 100).any()  # ink
    assert not (bare[bottom:, left:] < 100).any()
    assert box(sheet, BLUE)[2] > box(bare, BLUE)[2] + 20  # the caption is wider than the image
