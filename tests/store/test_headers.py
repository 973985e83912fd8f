from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from imbsynth.configs import within
from imbsynth.store import headers
from imbsynth.store.headers import mixed_sizes, sizes_of
from imbsynth.store.images import read_images
from tests.store.conftest import noise, put


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_header_has_the_size_that_decoding_gives(tmp_path: Path, suffix: str, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new("RGB", (7, 5), "red").save(tmp_path / f"a.{suffix}", exif=exif)
    (decoded,) = read_images(tmp_path, [f"a.{suffix}"]).pixels[:]
    assert sizes_of(tmp_path, [f"a.{suffix}"]) == {decoded.shape[1:]: 1}


def test_files_without_a_header_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "a.png", noise(0, 1, 5, 4))
    (tmp_path / "b.png").write_bytes(b"no image")
    assert sizes_of(tmp_path, ["a.png", "b.png", "gone.png"]) == {(5, 4): 1}


def test_of_small_images_a_sample_is_looked_at_and_of_large_ones_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headers, "SAMPLED", 10)
    small = [put(tmp_path, f"{i}.png", noise(i, 1, 5, 4)) for i in range(40)]
    assert sizes_of(tmp_path, small) == {(5, 4): 10}
    put(tmp_path, "0.png", noise(0, 1, 5, 200))
    assert sizes_of(tmp_path, small) == {(5, 4): 39, (5, 200): 1}


def test_a_thousand_photographs_take_less_than_a_second(tmp_path: Path) -> None:
    Image.effect_noise((1024, 768), 60).save(tmp_path / "0.jpg")
    paths = ["0.jpg"]
    for i in range(1, 1000):
        (tmp_path / f"{i}.jpg").hardlink_to(tmp_path / "0.jpg")
        paths.append(f"{i}.jpg")
    begun = time.process_time()
    assert sizes_of(tmp_path, paths) == {(768, 1024): 1000}
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("size", "smaller"),
    [
        ((384, 512), (48, 64)),
        ((512, 384), (64, 48)),
        ((65, 64), (64, 64)),
        ((64, 64), (64, 64)),
        ((28, 28), (28, 28)),
        ((333, 500), (42, 64)),
        ((50, 5000), (8, 64)),
    ],
)
def test_a_size_is_brought_down_in_its_proportions(
    size: tuple[int, int], smaller: tuple[int, int]
) -> None:
    assert within(size, 64) == smaller


def test_the_size_advised_for_mixed_ones_is_one_that_the_network_is_made_for() -> None:
    sizes = Counter({(512, 512): 3, (384, 512): 1})
    assert mixed_sizes("src", sizes, 64).fix.endswith("image_size 64x64")
    assert mixed_sizes("src", sizes).fix.endswith("image_size 512x512")
