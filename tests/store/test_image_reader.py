from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.errors import UserError
from imbsynth.store import image_reader
from imbsynth.store.image_reader import (
    ImageBatch,
    ImageReader,
    ImageRules,
    all_gray,
    size_of_first,
)
from imbsynth.store.images import read_images
from tests.store.conftest import noise, put


def files_in(root: Path, count: int) -> list[str]:
    return [put(root, f"c/{i}.png", noise(i, 1, 5, 4)) for i in range(count)]


def read(
    root: Path, paths: list[str], rules: ImageRules | None = None, size: int = 3
) -> list[ImageBatch]:
    return list(ImageReader(root, paths, rules or ImageRules()).batches(size))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_batches_hold_every_image_once_and_in_order(tmp_path: Path, count: int) -> None:
    files = files_in(tmp_path, count)
    batches = read(tmp_path, files)
    assert [place for batch in batches for place in batch.places] == list(range(count))
    assert max(len(batch.pixels) for batch in batches) == min(count, 3)
    assert batches[-1].seen == count
    whole = read_images(tmp_path, files).pixels[:, 0]
    assert np.array_equal(np.stack([p for batch in batches for p in batch.pixels]), whole)


def test_a_batch_ends_where_its_memory_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_reader, "MOST_BYTES", 40)  # two images of 20 bytes
    batches = read(tmp_path, files_in(tmp_path, 5), size=100)
    assert [len(batch.pixels) for batch in batches] == [2, 2, 1]


def test_all_unreadable_files_are_listed_at_the_end(tmp_path: Path) -> None:
    files = files_in(tmp_path, 9)
    for i in (0, 8):
        (tmp_path / f"c/{i}.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="2 unreadable files") as caught:
        read(tmp_path, files)
    assert "c/0.png" in caught.value.problem
    assert "c/8.png" in caught.value.problem


def test_unreadable_files_can_be_left_out(tmp_path: Path) -> None:
    files = files_in(tmp_path, 5)
    (tmp_path / "c/1.png").write_bytes(b"no image")
    reader = ImageReader(tmp_path, files, ImageRules(skip_unreadable=True))
    assert [p for batch in reader.batches(2) for p in batch.places] == [0, 2, 3, 4]
    assert list(reader.unreadable) == ["c/1.png"]


def test_mixed_sizes_are_refused_by_rule(tmp_path: Path) -> None:
    files = [*files_in(tmp_path, 2), put(tmp_path, "c/x.png", noise(9, 3, 6, 6))]
    assert len([p for batch in read(tmp_path, files) for p in batch.pixels]) == 3
    with pytest.raises(UserError, match="images of 2 sizes: 5x4"):
        read(tmp_path, files, ImageRules(one_size=True))
    gray = read(tmp_path, files, ImageRules(gray=True, size=(5, 4)))
    assert {pixels.shape for batch in gray for pixels in batch.pixels} == {(5, 4)}
    [batch] = [
        b for b in read(tmp_path, files, ImageRules(size=(5, 4), one_size=True), 9) if b.pixels
    ]
    assert {pixels.shape[:2] for pixels in batch.pixels} == {(5, 4)}


def test_a_reader_may_leave_early(tmp_path: Path) -> None:
    batches = ImageReader(tmp_path, files_in(tmp_path, 50), ImageRules()).batches(2)
    assert len(next(batches).pixels) == 2
    batches.close()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "F", "RGB", "RGBA", "P", "CMYK"])
def test_a_header_tells_gray_from_colour_as_decoding_does(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode in ("F", "CMYK", "I;16") else "png"
    (tmp_path / "c").mkdir()
    image = Image.new(mode, (4, 5))
    if mode in ("RGB", "RGBA", "P", "CMYK"):
        image = Image.new("RGB", (4, 5), "red").convert(mode)
    image.save(tmp_path / f"c/a.{suffix}")
    decoded = read_images(tmp_path, [f"c/a.{suffix}"]).pixels
    assert all_gray([f"{tmp_path}/c/a.{suffix}"]) == (decoded.shape[1] == 1)
    assert size_of_first([f"{tmp_path}/c/none.png", f"{tmp_path}/c/a.{suffix}"], "") == (5, 4)
