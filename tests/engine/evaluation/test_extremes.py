from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imbsynth.engine.evaluation.extremes import PER_CLASS, Extremes, rarest_first
from imbsynth.figures.sheets import MAX_ROWS


def shade(value: int) -> NDArray[np.uint8]:
    """A (1, 4, 4) image of one gray, which tells on the sheet which one it is."""
    return np.full((1, 4, 4), value, np.uint8)


def shades(path: Path) -> list[list[int]]:
    """The grays of the images of each row of a sheet, from the left."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    rows: list[list[int]] = []
    top = 0
    plain = (pixels.max(2) == pixels.min(2)) & (pixels[..., 0] > 40) & (pixels[..., 0] < 250)
    for y in range(0, pixels.shape[0] - 56):
        runs = [x for x in range(pixels.shape[1] - 56) if _is_square(pixels, plain, y, x)]
        if runs and y >= top:
            rows.append([int(pixels[y, x, 0]) for x in runs])
            top = y + 56
    return rows


def _is_square(pixels: NDArray[np.int64], plain: NDArray[np.bool_], y: int, x: int) -> bool:
    return bool(plain[y, x] and (pixels[y : y + 56, x : x + 56] == pixels[y, x]).all())


def test_rare_classes_come_first() -> None:
    assert rarest_first({"a": 5, "b": 1, "c": 5, "d": 3}) == [1, 3, 0, 2]


def test_each_class_keeps_the_highest_scores_highest_first(tmp_path: Path) -> None:
    found = Extremes({"many": 9, "few": 1})
    order = np.random.default_rng(0).permutation(30)
    for i in order.tolist():
        found.add(0, float(i), shade(50 + i), "")
    found.add(1, 0.5, shade(100), "")
    found.add(1, 0.5, shade(101), "")  # of equal scores, the first one is shown first
    assert found.write(tmp_path / "sheet.png", "")
    assert shades(tmp_path / "sheet.png") == [
        [100, 101],
        [50 + i for i in range(29, 29 - PER_CLASS, -1)],
    ]


def test_nothing_to_show_is_no_file(tmp_path: Path) -> None:
    assert not Extremes({"a": 1}).write(tmp_path / "sheet.png", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("order", [1, -1])
def test_of_many_classes_the_rarest_are_shown(tmp_path: Path, order: int) -> None:
    classes = MAX_ROWS + 5
    found = Extremes({str(k): 1 + k for k in range(classes)})
    for k in list(range(classes))[::order]:
        found.add(k, 1.0, shade(50 + k), "")
    found.write(tmp_path / "sheet.png", "")
    assert shades(tmp_path / "sheet.png") == [[50 + k] for k in range(MAX_ROWS)]
