from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from imbsynth.store.png import check_chunks, encoded
from tests.store.conftest import chunk, png_bytes

PNG = png_bytes(2, 1, bits=8, colour=0, rows=b"\0\x07\xff", extra=chunk(b"tEXt", b"a\0b"))


def test_a_whole_file_passes_with_or_without_more_behind_it() -> None:
    check_chunks(PNG)
    check_chunks(PNG + b"more")


def test_a_file_cut_anywhere_is_truncated() -> None:
    for length in range(8, len(PNG)):
        with pytest.raises(ValueError, match="truncated: its last chunk is missing"):
            check_chunks(PNG[:length])


def test_any_bit_flipped_behind_the_signature_is_seen() -> None:
    for position in range(8, len(PNG)):
        damaged = bytearray(PNG)
        damaged[position] ^= 1
        with pytest.raises(ValueError, match=r"truncated|wrong checksum of its"):
            check_chunks(bytes(damaged))


shapes = st.tuples(
    st.integers(0, 3), st.sampled_from([1, 3]), st.integers(1, 12), st.integers(1, 12)
)


@given(shapes.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_what_is_written_reads_back_to_the_same_pixels(images: NDArray[np.uint8]) -> None:
    files = list(encoded(images))
    assert len(files) == len(images)
    for data, image in zip(files, images, strict=True):
        check_chunks(data)
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.mode == ("L" if len(image) == 1 else "RGB")
            read = np.asarray(picture)
        assert (read == (image[0] if len(image) == 1 else image.transpose(1, 2, 0))).all()


def test_more_than_fits_at_once_is_written_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), np.uint8)
    whole = list(encoded(images))
    monkeypatch.setattr("imbsynth.store.png._AT_ONCE", 130)
    assert list(encoded(images)) == whole


def test_a_file_is_about_as_small_as_pillows() -> None:
    slope = np.add.outer(np.arange(64), 2 * np.arange(64))
    noise = np.random.default_rng(0).normal(0, 3, (3, 64, 64))
    image = (slope + noise).clip(0, 255).astype(np.uint8)
    [ours], theirs = encoded(image[None]), io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(theirs, "PNG")
    assert len(ours) < 1.1 * theirs.tell()
