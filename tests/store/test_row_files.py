"""Images in a file are those of an array, however they are asked for and read ahead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imbsynth.errors import UserError
from imbsynth.store import row_files
from imbsynth.store.growing import GrowingImages, cached_images, joined_pixels
from imbsynth.store.memory import limited
from imbsynth.store.row_files import RowFile, some_of

COUNT = 30
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 3, 2, 2), np.uint8)
ROWS = st.lists(st.integers(0, COUNT - 1), max_size=40)


def in_file(place: Path | None = None) -> RowFile:
    with limited(0):
        growing = GrowingImages(COUNT + 5, spill=None if place is None else cached_images(place))
        growing.extend(PIXELS)
        found = growing.whole()
    assert isinstance(found, RowFile)
    return found


@pytest.fixture(scope="module")
def pixels() -> RowFile:
    return in_file()


@settings(deadline=None, max_examples=40)  # a thread starts for every example
@given(rows=ROWS, ahead=ROWS)
def test_rows_are_those_of_an_array_with_and_without_reading_ahead(
    pixels: RowFile, rows: list[int], ahead: list[int]
) -> None:
    wanted = np.array(rows, np.int64)
    assert np.array_equal(pixels[wanted], PIXELS[wanted])
    for _ in pixels.ahead([0], lambda _: np.array(ahead, np.int64)):
        assert np.array_equal(pixels[wanted], PIXELS[wanted])


@settings(deadline=None, max_examples=40)
@given(part=st.slices(COUNT), rows=ROWS)
def test_slices_and_parts_are_those_of_an_array(
    pixels: RowFile, part: slice, rows: list[int]
) -> None:
    assert np.array_equal(pixels[part], PIXELS[part])
    some, expected = pixels.some(part), PIXELS[part]
    assert some.shape == expected.shape
    assert some.nbytes == expected.nbytes
    within = np.array([row for row in rows if row < len(expected)], np.int64)
    assert np.array_equal(some_of(some, within)[:], expected[within])


def test_single_rows_and_truth_values_are_those_of_an_array(pixels: RowFile) -> None:
    chosen = np.arange(COUNT) % 3 == 0
    assert np.array_equal(pixels[7], PIXELS[7])
    assert np.array_equal(pixels[chosen], PIXELS[chosen])
    for row in (-1, COUNT):
        with pytest.raises(IndexError):
            pixels[row]
    with pytest.raises(IndexError):
        pixels[chosen[1:]]


def test_batches_come_as_they_are_and_are_drawn_a_block_ahead(
    pixels: RowFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_files, "BLOCK", 6 * PIXELS[0].nbytes)
    drawn: list[int] = []

    def batches() -> Iterator[NDArray[np.int64]]:
        for start in range(0, COUNT, 3):
            drawn.append(start)
            yield np.arange(start, start + 3)

    ready = pixels.ahead(batches(), lambda rows: rows)
    for number, rows in enumerate(ready):
        assert rows.tolist() == list(range(3 * number, 3 * number + 3))
        assert len(drawn) <= number + 2 + 4  # the rest of this block, and the next two at most
        assert np.array_equal(pixels[rows], PIXELS[rows])
    assert drawn == list(range(0, COUNT, 3))


def test_an_error_while_reading_ahead_reaches_the_caller(pixels: RowFile) -> None:
    def broken() -> Iterator[NDArray[np.int64]]:
        yield np.arange(3)
        raise KeyError("drawn")

    with pytest.raises(KeyError, match="drawn"):
        list(pixels.ahead(broken(), lambda rows: rows))


def test_images_of_two_arrays_are_joined_in_memory_or_in_a_file() -> None:
    both = np.concatenate([PIXELS, PIXELS[:4]])
    assert isinstance(joined_pixels(PIXELS, PIXELS[:4]), np.ndarray)
    with limited(PIXELS.nbytes):
        found = joined_pixels(PIXELS, in_file().some(slice(4)))
    assert isinstance(found, RowFile)
    assert np.array_equal(found[:], both)


def test_long_runs_are_read_in_pieces(pixels: RowFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_files, "CHUNK", 7)  # a size that rows are no multiple of
    assert np.array_equal(pixels[:], PIXELS)


def test_a_file_that_is_cut_off_is_an_error_and_never_other_pixels(tmp_path: Path) -> None:
    pixels = in_file(tmp_path / "pixels")
    os.truncate(tmp_path / "pixels", PIXELS.nbytes // 2)
    assert np.array_equal(pixels[3], PIXELS[3])
    with pytest.raises(UserError, match="was cut off while it was in use"):
        pixels[COUNT - 1]
