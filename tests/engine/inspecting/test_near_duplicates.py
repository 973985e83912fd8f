from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from imbsynth.configs import InspectConfig
from imbsynth.engine import inspect
from imbsynth.engine.configured import as_configured
from imbsynth.engine.events import Event, Note
from imbsynth.engine.inspecting.pictures import caption_of
from imbsynth.errors import UserError
from tests.conftest import contents


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of three different smooth pictures of 64x48 pixels each."""
    for number in range(6):
        picture(number).save(saved(tmp_path / "photos" / "ab"[number // 3] / f"{number}.png"))
    return tmp_path / "photos"


def saved(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def picture(number: int) -> Image.Image:
    coarse = np.random.default_rng(number).integers(40, 200, (5, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC)


def test_the_same_pixels_in_another_format_are_one_image(photos: Path) -> None:
    shutil.copy(photos / "a/0.png", photos / "a/copy.png")
    Image.open(photos / "a/0.png").save(photos / "a/other.bmp")
    Image.open(photos / "a/1.png").save(photos / "b/other.tiff")
    report = inspect.run(InspectConfig(src=photos, near_duplicates=True))
    assert report.repeated == 2
    assert report.duplicates == [["a/1.png", "b/other.tiff"]]
    assert {kind: near.count for kind, near in report.near_duplicates.items()} == {
        "within": 0,  # they are the same, not nearly
        "across": 0,
    }


def test_pictures_saved_again_are_found_within_and_across_classes(photos: Path) -> None:
    picture(0).save(photos / "a/again.jpg", quality=60)
    picture(0).resize((32, 24), Image.Resampling.BICUBIC).save(photos / "b/smaller.png")
    ImageEnhance.Brightness(picture(4)).enhance(1.1).save(photos / "b/brighter.png")
    before = contents(photos)
    report = inspect.run(InspectConfig(src=photos, near_duplicates=True))
    assert contents(photos) == before
    within, across = report.near_duplicates["within"], report.near_duplicates["across"]
    assert (within.count, across.count) == (2, 2)
    assert sorted(pair.files for pair in within.pairs) == [
        ["a/0.png", "a/again.jpg"],
        ["b/4.png", "b/brighter.png"],
    ]
    assert sorted(pair.files for pair in across.pairs) == [
        ["a/0.png", "b/smaller.png"],
        ["a/again.jpg", "b/smaller.png"],
    ]
    similarities = [pair.similarity for pair in across.pairs]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0.99 <= similarity <= 1 for similarity in similarities)


def test_they_are_looked_for_only_if_asked(photos: Path) -> None:
    picture(0).save(photos / "a/again.jpg")
    assert inspect.run(InspectConfig(src=photos)).near_duplicates == {}


def test_images_of_another_folder_are_found_in_this_one(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "test"  # of any form: without classes here
    picture(0).save(saved(other / "same.bmp"))
    picture(1).save(other / "nearly.jpg")
    picture(9).save(other / "new.png")
    report = inspect.run(InspectConfig(src=photos, against=other))
    assert report.in_both == [["a/0.png", "same.bmp"]]
    assert list(report.near_duplicates) == ["against"]
    near = report.near_duplicates["against"]
    assert (near.count, near.pairs[0].files) == (1, ["a/1.png", "nearly.jpg"])


def test_a_picture_shows_the_pairs(photos: Path, tmp_path: Path) -> None:
    plot, heard = tmp_path / "pairs.png", list[Event]()
    config = InspectConfig(src=photos, near_duplicates=True, plot=plot)
    assert inspect.run(config, on_event=heard.append).plot is None
    assert "nothing to draw" in next(event.text for event in heard if isinstance(event, Note))
    assert not plot.exists()
    picture(0).save(photos / "a/again.jpg")
    assert inspect.run(config).plot == plot.as_posix()
    with Image.open(plot) as drawn:
        one_row = drawn.height
    with pytest.raises(UserError, match="exists"):
        inspect.run(config)
    picture(4).save(saved(tmp_path / "test/again.jpg"))
    config = InspectConfig(
        src=photos, near_duplicates=True, against=tmp_path / "test", plot=plot, force=True
    )
    inspect.run(config)
    with Image.open(plot) as drawn:
        assert drawn.height > one_row


def test_a_picture_of_somebody_else_is_never_replaced(photos: Path, tmp_path: Path) -> None:
    picture(0).save(photos / "a/again.jpg")
    picture(1).save(tmp_path / "mine.png")
    before = (tmp_path / "mine.png").read_bytes()
    config = InspectConfig(src=photos, near_duplicates=True, plot=tmp_path / "mine.png", force=True)
    with pytest.raises(UserError, match=r"mine\.png exists and is no picture of imbsynth"):
        inspect.run(config)
    assert (tmp_path / "mine.png").read_bytes() == before


def test_a_picture_needs_something_to_show_and_a_name_of_its_own(photos: Path) -> None:
    with pytest.raises(UserError, match="plot shows images that are nearly the same"):
        InspectConfig(src=photos, plot=Path("pairs.png"))
    with pytest.raises(UserError, match=r"the picture is a \.png file"):
        InspectConfig(src=photos, near_duplicates=True, plot=Path("pairs.jpg"))
    with pytest.raises(UserError, match=r" lies in | holds "):
        inspect.run(InspectConfig(src=photos, near_duplicates=True, plot=photos / "a/pairs.png"))


def test_the_caption_of_a_long_path_keeps_its_end() -> None:
    assert caption_of("cat/001.png") == "cat/001.png"
    assert caption_of("T-Shirt & Top/scan 0051.png") == "…p/scan 0051.png"


def test_unreadable_files_are_near_to_none(photos: Path) -> None:
    (photos / "a/broken.png").write_bytes(b"no image")
    (photos / "b/broken.png").write_bytes(b"no image")
    report = inspect.run(InspectConfig(src=photos, near_duplicates=True, against=photos))
    assert len(report.in_both) == 6
    assert [near.count for near in report.near_duplicates.values()] == [0, 0, 0]


def test_with_images_out_of_a_cache_the_same_pairs_are_found(photos: Path, tmp_path: Path) -> None:
    picture(0).save(photos / "a/again.jpg", quality=60)
    config = InspectConfig(src=photos, near_duplicates=True, cache=tmp_path / "cache")
    first, again = (as_configured(inspect.run)(config).near_duplicates for _ in range(2))
    assert first == again
    assert again["within"].count == 1
