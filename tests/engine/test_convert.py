from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imbsynth.configs import ConvertConfig, Fit, GenerateConfig, InspectConfig, Size
from imbsynth.engine import convert, generate, inspect
from imbsynth.engine.configured import as_configured
from imbsynth.errors import UserError
from imbsynth.store.copies import folder_digest
from imbsynth.store.decoding import decode
from imbsynth.store.folders import digest_of
from imbsynth.store.image_files import read_image_file
from imbsynth.store.image_writers import FORMATS
from tests.conftest import MakeFolder, contents


def pixels(path: Path) -> list[Any]:
    """As every command reads them."""
    picture = read_image_file(path).picture
    assert picture is not None
    return picture.pixels.tolist()


def test_files_keep_their_places_and_their_pixels(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 3, "b c": 2}, mode="RGB")
    (src / "a/more").mkdir()
    Image.open(src / "a/000.png").convert("L").save(src / "a/more/x.y.bmp")
    (src / "a/notes.txt").write_text("no image")
    report = convert.run(ConvertConfig(src=src, dst=tmp_path / "dst"))
    assert (report.images, report.sizes, report.resized) == (6, {"8x8": 6}, 0)
    names = ["a/000.png", "a/001.png", "a/002.png", "a/more/x.y.png", "b c/000.png", "b c/001.png"]
    assert sorted(contents(tmp_path / "dst")) == [*names, "run.json"]
    for name in names:
        old = src / name.replace("x.y.png", "x.y.bmp")
        assert pixels(tmp_path / "dst" / name) == pixels(old)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read_back(form: Any, make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"gray": 1}, size=(12, 16))
    make_folder({"colour": 1}, name="src", size=(12, 16), mode="RGB")
    convert.run(ConvertConfig(src=src, dst=tmp_path / "dst", format=form))
    for name in ("gray", "colour"):
        old, new = pixels(src / f"{name}/000.png"), pixels(tmp_path / f"dst/{name}/000.{form}")
        most = 40 if form == "jpg" else 0  # of 255, on bars of one pixel
        assert np.abs(np.array(old, int) - new).max() <= most
    stored = {"RGB": 2} if form == "webp" else {"L": 1, "RGB": 1}  # WebP knows no gray
    assert inspect.run(InspectConfig(src=tmp_path / "dst")).modes == stored


WIDE = np.array([[10, 20, 200, 210]] * 2, np.uint8)  # two to one; gray


def fitted(tmp_path: Path, fit: Fit, size: Size) -> NDArray[np.int64]:
    """What becomes of WIDE."""
    (tmp_path / "src").mkdir()
    Image.fromarray(WIDE).save(tmp_path / "src/wide.png")
    config = ConvertConfig(src=tmp_path / "src", dst=tmp_path / "dst", image_size=size, fit=fit)
    report = convert.run(config)
    assert (report.resized, report.sizes) == (1, {f"{size[0]}x{size[1]}": 1})
    return np.array(pixels(tmp_path / "dst/wide.png"))


def test_cropped_a_wide_image_keeps_its_middle(tmp_path: Path) -> None:
    assert fitted(tmp_path, "crop", (2, 2)).tolist() == [[20, 200]] * 2


def test_padded_it_is_between_rows_of_black(tmp_path: Path) -> None:
    assert fitted(tmp_path, "pad", (4, 4)).tolist() == [[0] * 4, *WIDE.tolist(), [0] * 4]


def test_squashed_all_of_it_is_narrower(tmp_path: Path) -> None:
    found = fitted(tmp_path, "squash", (2, 2))
    assert (found[:, 0] < 60).all()  # the dark half
    assert (found[:, 1] > 150).all()  # the bright half
    assert found[0].tolist() == found[1].tolist()


def test_channels(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"gray": 2})
    make_folder({"colour": 1}, name="src", mode="RGB")
    gray = convert.run(ConvertConfig(src=src, dst=tmp_path / "gray", channels=1))
    rgb = convert.run(ConvertConfig(src=src, dst=tmp_path / "rgb", channels=3))
    assert (gray.made_gray, gray.made_rgb, rgb.made_gray, rgb.made_rgb) == (1, 0, 0, 2)
    assert inspect.run(InspectConfig(src=tmp_path / "gray")).modes == {"L": 3}
    assert inspect.run(InspectConfig(src=tmp_path / "rgb")).modes == {"RGB": 3}


def test_names_that_would_collide_are_an_error(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 2})
    Image.open(src / "a/000.png").save(src / "a/000.bmp")
    with pytest.raises(UserError, match=r"the same name: a/000\.bmp, a/000\.png\n"):
        convert.run(ConvertConfig(src=src, dst=tmp_path / "dst"))
    assert not (tmp_path / "dst").exists()


def test_unreadable_files_stop_it_or_are_left_out(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 2})
    (src / "a/broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a/broken\.png"):
        convert.run(ConvertConfig(src=src, dst=tmp_path / "dst"))
    assert not (tmp_path / "dst").exists()
    report = convert.run(ConvertConfig(src=src, dst=tmp_path / "dst", skip_unreadable=True))
    assert (report.images, report.skipped) == (2, ["a/broken.png"])
    record = json.loads((tmp_path / "dst/run.json").read_text())
    assert record["left_out"]["src"]["unreadable"] == ["a/broken.png"]
    files = {path.relative_to(src).as_posix(): path.read_bytes() for path in src.rglob("*.png")}
    digests = [digest_of(data) for data in files.values()]
    assert record["left_out"]["src"]["folder"] == folder_digest(list(files), digests)
    assert record["command"] == "convert"


def test_nothing_is_overwritten_unasked_and_the_same_bytes_come_out(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 3}, mode="RGB")
    config: dict[str, Any] = {"src": src, "image_size": (4, 4), "format": "jpg"}
    convert.run(ConvertConfig(dst=tmp_path / "dst", **config))
    before = contents(tmp_path / "dst")
    with pytest.raises(UserError, match="exists"):
        convert.run(ConvertConfig(dst=tmp_path / "dst", **config))
    convert.run(ConvertConfig(dst=tmp_path / "dst", force=True, **config))
    assert contents(tmp_path / "dst") == before
    with pytest.raises(UserError, match=r" lies in | holds "):
        convert.run(ConvertConfig(src=src, dst=src / "b"))


def test_a_flat_folder_stays_flat_and_an_empty_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with pytest.raises(UserError, match="no images in this folder or below it"):
        convert.run(ConvertConfig(src=tmp_path / "src", dst=tmp_path / "dst"))
    Image.fromarray(WIDE).save(tmp_path / "src/wide.tiff")
    convert.run(ConvertConfig(src=tmp_path / "src", dst=tmp_path / "dst"))
    assert sorted(contents(tmp_path / "dst")) == ["run.json", "wide.png"]


def test_synthetic_images_are_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=make_folder({"a": 4, "b": 2}), dst=tmp_path / "made"))
    with pytest.raises(UserError, match="holds synthetic images"):
        convert.run(ConvertConfig(src=tmp_path / "made", dst=tmp_path / "dst"))


def test_a_fit_needs_a_size() -> None:
    with pytest.raises(UserError, match="fit says how images get to a size, and none is given"):
        ConvertConfig(src=Path("a"), dst=Path("b"), fit="crop")


def test_a_draft_is_made_where_it_is_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "src" / name).mkdir(parents=True)
        image = Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))
        image.save(tmp_path / "src" / name / "0.jpg")
    found = []
    for draft in (False, True):
        dst = tmp_path / f"draft {draft}"
        as_configured(convert.run)(
            ConvertConfig(src=tmp_path / "src", dst=dst, image_size=(8, 8), draft=draft)
        )
        found.append(pixels(dst / "a/0.png"))
        record = json.loads((dst / "run.json").read_text())
        assert record["config"]["draft"] is draft
    assert found[0] != found[1]
    expected = decode((tmp_path / "src/a/0.jpg").read_bytes(), (8, 8), draft=True)
    assert found[1] == expected.pixels.tolist()
