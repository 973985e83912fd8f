from __future__ import annotations

import shutil
from pathlib import Path

from imbsynth.configs import GenerateConfig, InspectConfig
from imbsynth.engine import generate
from imbsynth.engine.inspect import run
from tests.conftest import MakeFolder, contents, draw_image


def test_a_sound_folder(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 8, "b": 2})
    before = contents(src)
    report = run(InspectConfig(src=src))
    assert report.counts == {"a": 8, "b": 2}
    assert (report.rho, report.mu, report.images) == (4, 0.5, 10)
    assert report.sizes == {"8x8": 10}
    assert report.modes == {"L": 10}
    assert report.unreadable == []
    assert report.duplicates == []
    assert contents(src) == before


def test_synthetic_images_are_counted_apart(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, dst = make_folder({"a": 8, "b": 2}), tmp_path / "balanced"
    generate.run(GenerateConfig(src=src, dst=dst, method="ros"))
    report = run(InspectConfig(src=dst))
    assert report.counts == {"a": 8, "b": 8}
    assert report.synthetic == {"a": 0, "b": 6}


def test_everything_odd_is_named(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 3, "b": 3})
    shutil.copy(src / "a/000.png", src / "b/twin.png")
    shutil.copy(src / "a/001.png", src / "a/again.png")
    (src / "a/broken.png").write_bytes((src / "a/002.png").read_bytes()[:60])
    (src / "a/dangling.png").symlink_to("nowhere")
    (src / "b/notes.txt").write_text("no image")
    draw_image(9, 10, 12, "RGB").convert("RGBA").save(src / "b/wide.png")
    report = run(InspectConfig(src=src))
    assert report.duplicates == [["a/000.png", "b/twin.png"]]
    assert report.repeated == 1
    assert report.unreadable == ["a/broken.png", "a/dangling.png"]
    assert report.reasons["a/dangling.png"] == "not a regular file"
    assert report.ignored == 1
    assert report.sizes == {"8x8": 8, "10x12": 1}
    assert report.modes == {"L": 8, "RGBA": 1}
    assert report.counts == {"a": 6, "b": 5}


def test_a_class_of_one_unreadable_image_is_still_told(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 2})
    (src / "b").mkdir()
    (src / "b/empty.png").touch()
    report = run(InspectConfig(src=src))
    assert report.counts == {"a": 2, "b": 1}
    assert report.unreadable == ["b/empty.png"]
