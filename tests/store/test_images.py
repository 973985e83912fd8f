from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.errors import UserError
from imbsynth.store import memory
from imbsynth.store.image_files import survey_all
from imbsynth.store.images import ImageForm, Images, read_images
from imbsynth.store.row_files import RowFile
from tests.store.conftest import noise, png_bytes, put

GRAY, COLOUR = (1, 4, 6), (3, 4, 6)  # (c, h, w)


def test_pixels_stand_in_the_order_of_the_paths(tmp_path: Path) -> None:
    pixels = {f"{name}.png": noise(seed, *COLOUR) for seed, name in enumerate("bca")}
    paths = [put(tmp_path, path, array) for path, array in pixels.items()]
    images = read_images(tmp_path, paths)
    assert images.pixels[:].dtype == np.uint8
    assert (images.pixels[:] == np.stack(list(pixels.values()))).all()
    assert images.paths == ["b.png", "c.png", "a.png"]
    digests = [hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() for path in paths]
    assert list(images.digests) == digests
    assert len(set(images.pixel_digests)) == 3
    assert images[4:] == ([], 0, 0, 0, 0)


def test_gray_stays_gray(tmp_path: Path) -> None:
    put(tmp_path, "a.png", noise(0, *GRAY))
    assert read_images(tmp_path, ["a.png"]).pixels.shape == (1, *GRAY)


@pytest.mark.parametrize("order", ["gcg", "ggc", "cgg"])
def test_gray_grows_to_colour_when_colour_comes(tmp_path: Path, order: str) -> None:
    arrays = [noise(i, *(GRAY if kind == "g" else COLOUR)) for i, kind in enumerate(order)]
    paths = [put(tmp_path, f"{i}.png", array) for i, array in enumerate(arrays)]
    expected = [np.broadcast_to(array, COLOUR) for array in arrays]
    images = read_images(tmp_path, paths)
    assert (images.pixels[:] == np.stack(expected)).all()
    assert images.made_rgb == 2


def test_gray_is_read_as_colour_on_demand(tmp_path: Path) -> None:
    gray = noise(0, *GRAY)
    put(tmp_path, "a.png", gray)
    images = read_images(tmp_path, ["a.png"], ImageForm(channels=3))
    assert (images.pixels[:] == np.broadcast_to(gray, (1, *COLOUR))).all()
    assert images.made_rgb == 1


def test_colour_is_made_gray_on_demand(tmp_path: Path) -> None:
    paths = [put(tmp_path, "a.png", noise(0, *GRAY)), put(tmp_path, "b.png", noise(0, *COLOUR))]
    images = read_images(tmp_path, paths, ImageForm(channels=1))
    with Image.open(tmp_path / "b.png") as colour:
        assert np.array_equal(images.pixels[1, 0], np.asarray(colour.convert("L")))
    assert images.made_gray == 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_gray_images_stored_as_rgb_are_gray(tmp_path: Path, suffix: str) -> None:
    gray = Image.fromarray(noise(0, 40, 56))
    gray.save(tmp_path / f"gray.{suffix}")
    gray.convert("RGB").save(tmp_path / f"rgb.{suffix}")
    images = read_images(tmp_path, [f"gray.{suffix}", f"rgb.{suffix}"])
    assert images.pixels.shape == (2, 1, 40, 56)
    assert (images.pixels[0] == images.pixels[1]).all()
    assert images.made_rgb == images.made_gray == 0


def test_one_coloured_pixel_is_colour(tmp_path: Path) -> None:
    pixels = np.broadcast_to(noise(0, 1, 40, 56), (3, 40, 56)).copy()
    pixels[2, 39, 55] ^= 1
    assert read_images(tmp_path, [put(tmp_path, "a.png", pixels)]).pixels.shape == (1, 3, 40, 56)


def test_mixed_sizes_are_named_and_the_commonest_advised(tmp_path: Path) -> None:
    shapes = [(1, 4, 6), (1, 6, 4), (1, 6, 4), (3, 9, 9)]
    paths = [put(tmp_path, f"{i}.png", noise(i, *shape)) for i, shape in enumerate(shapes)]
    with pytest.raises(UserError) as caught:
        read_images(tmp_path, paths)
    assert caught.value.problem.endswith(": images of 3 sizes: 6x4 (2), 4x6 (1), 9x9 (1)")
    assert caught.value.fix.endswith("image_size 6x4")


def test_at_most_five_sizes_are_named(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{i}.png", noise(i, 1, 2, i)) for i in range(1, 8)]
    with pytest.raises(UserError, match=r"7 sizes: 2x1 \(1\), .*2x5 \(1\), \.\.\.\n"):
        read_images(tmp_path, paths)


def test_a_size_makes_all_alike_and_says_how_many_were_not(tmp_path: Path) -> None:
    shapes = [(1, 4, 6), (1, 6, 4), (1, 12, 8)]
    paths = [put(tmp_path, f"{i}.png", noise(i, *shape)) for i, shape in enumerate(shapes)]
    images = read_images(tmp_path, paths, ImageForm(size=(6, 4)))
    assert images.pixels.shape == (3, 1, 6, 4)
    assert (images.pixels[1] == noise(1, 1, 6, 4)).all()
    assert images.resized == 2


def test_transparent_images_are_counted(tmp_path: Path) -> None:
    paths = [put(tmp_path, "a.png", noise(0, *COLOUR)), "b.png"]
    Image.new("RGBA", (6, 4), (9, 9, 9, 0)).save(tmp_path / "b.png")
    images = read_images(tmp_path, paths)
    assert images.composited == 1
    assert not images.pixels[1].any()


def test_every_unreadable_file_is_listed_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "good.png", noise(0, *GRAY))
    (tmp_path / "text.png").write_text("Dear Sir,")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:50])
    with pytest.raises(UserError) as caught:
        read_images(tmp_path, ["cut.png", "gone.png", "good.png", "text.png"])
    assert ": 3 unreadable files: cut.png (" in caught.value.problem
    assert "gone.png (cannot be read: No such file or directory)" in caught.value.problem
    assert "text.png (not an image of a format that is read)" in caught.value.problem
    assert "skip_unreadable" in caught.value.fix


def test_a_long_list_of_unreadable_files_is_cut(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"7 unreadable files: 0\.png .* and 2 more\n"):
        read_images(tmp_path, [f"{i}.png" for i in range(7)])


def test_unreadable_files_are_left_out_on_demand_and_recorded_by_their_paths(
    tmp_path: Path,
) -> None:
    bad = ["copy (1).png", "gone.png", "new\nline.png"]
    for path in (bad[0], bad[2]):
        (tmp_path / path).touch()
    good = [put(tmp_path, f"{i}.png", noise(i, *(COLOUR if i else GRAY))) for i in range(3)]
    paths = [bad[0], good[0], bad[1], good[1], bad[2], good[2]]
    images = read_images(tmp_path, paths, ImageForm(skip_unreadable=True))
    assert images.skipped == bad
    assert images.paths == good
    assert len(images.digests) == 3
    assert (images.pixels[:] == read_images(tmp_path, good).pixels[:]).all()


def test_nothing_readable_is_an_error_even_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(UserError, match="no readable images"):
        read_images(tmp_path, ["a.png"], ImageForm(skip_unreadable=True))


def test_progress_is_told_after_every_file(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{i}.png", noise(i, *GRAY)) for i in range(3)]
    told: list[int] = []
    read_images(tmp_path, paths, on_progress=told.append)
    assert told == [1, 2, 3]


@pytest.fixture
def large(tmp_path: Path) -> list[str]:
    """Images that threads pay for: 67 kB each, more of them than threads take at once."""
    return [put(tmp_path, f"{i}.png", noise(i, 3, 150, 150)) for i in range(12)]


def same(one: Images, other: Images) -> bool:
    return one[1:] == other[1:] and np.array_equal(one.pixels[:], other.pixels[:])


def test_threads_change_nothing(tmp_path: Path, large: list[str]) -> None:
    (tmp_path / large[5]).write_bytes(b"broken")
    alone = read_images(tmp_path, large, ImageForm(skip_unreadable=True), cores=1)
    assert same(read_images(tmp_path, large, ImageForm(skip_unreadable=True), cores=2), alone)
    assert alone.skipped == [large[5]]
    one, other = (
        survey_all(tmp_path, large, cores=cores, on_progress=lambda _: None) for cores in (1, 2)
    )
    assert one == other


def test_an_error_ends_the_threads_and_comes_through(tmp_path: Path, large: list[str]) -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_images(tmp_path, large, cores=2, on_progress=stop)


def test_the_filters_for_warnings_are_as_before(tmp_path: Path, large: list[str]) -> None:
    before = warnings.filters[:]
    for _ in range(10):  # threads that set filters of their own leave them changed by chance
        read_images(tmp_path, large, cores=4)
        survey_all(tmp_path, large, cores=4, on_progress=lambda _: None)
    assert warnings.filters == before


def test_remarks_of_pillow_do_not_reach_the_user(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0"  # ends where its first entry should begin
    Image.new("L", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    with pytest.warns(UserWarning, match="Corrupt EXIF data"), Image.open(tmp_path / "a.jpg"):
        pass
    assert read_images(tmp_path, ["a.jpg"]).pixels.shape == (1, 1, 8, 8)
    assert survey_all(tmp_path, ["a.jpg"], cores=1, on_progress=lambda _: None)[0].problem == ""


def fill_memory(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Have the system say that nothing is free."""
    (root / "meminfo").write_text("MemAvailable:       0 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", root / "meminfo")


# Nothing; enough for gray only, so that images move when colour comes; all but a byte.
@pytest.mark.parametrize("limit", [0, 5 * 4 * 6, 5 * 3 * 4 * 6 - 1])
def test_images_beyond_the_limit_are_in_a_file_and_equal(tmp_path: Path, limit: int) -> None:
    arrays = [noise(i, *(GRAY if i < 2 else COLOUR)) for i in range(5)]
    paths = [put(tmp_path, f"{i}.png", array) for i, array in enumerate(arrays)]
    expected = read_images(tmp_path, paths)
    assert isinstance(expected.pixels, np.ndarray)
    with memory.limited(limit):
        found = read_images(tmp_path, paths)
        assert memory.room() == limit
    assert isinstance(found.pixels, RowFile)
    assert same(found, expected)


def test_the_limit_is_of_all_images_together_and_given_back(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{i}.png", noise(i, *COLOUR)) for i in range(2)]
    with memory.limited(3 * 72):
        first = read_images(tmp_path, paths)
        second = read_images(tmp_path, paths)
        assert isinstance(second.pixels, RowFile)
        del first
        assert memory.room() == 3 * 72
        assert isinstance(read_images(tmp_path, paths).pixels, np.ndarray)


def test_images_that_fill_the_memory_are_in_a_file_without_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [put(tmp_path, "a.png", noise(0, *COLOUR))]
    fill_memory(monkeypatch, tmp_path)
    assert isinstance(read_images(tmp_path, paths).pixels, RowFile)


def test_a_survey_says_what_every_file_is(tmp_path: Path) -> None:
    put(tmp_path, "gray.png", noise(0, *GRAY))
    Image.new("RGBA", (5, 3)).save(tmp_path / "alpha.png")
    deep = png_bytes(2, 1, bits=16, colour=0, rows=bytes(5))
    (tmp_path / "deep.png").write_bytes(deep)
    (tmp_path / "text.png").write_text("Dear Sir,")
    paths = ["gray.png", "alpha.png", "deep.png", "text.png", "gone.png"]
    found = survey_all(tmp_path, paths, cores=1, on_progress=lambda _: None)
    assert [one.path for one in found] == paths
    assert [one.size for one in found] == ["4x6", "3x5", "1x2", "", ""]
    assert [one.mode for one in found] == ["L", "RGBA", "I;16", "", ""]
    assert [one.alpha for one in found] == [False, True, False, False, False]
    assert [one.problem for one in found[:3]] == ["", "", ""]
    assert found[3].problem == "not an image of a format that is read"
    assert found[4].problem == "cannot be read: No such file or directory"
    assert found[2].digest == hashlib.sha256(deep).hexdigest()


def test_images_that_fit_nowhere_are_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [put(tmp_path, "a.png", noise(0, *COLOUR))]

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    fill_memory(monkeypatch, tmp_path)
    monkeypatch.setattr(os, "posix_fallocate", full)
    problem = r"1 images of 4x6 pixels take .* memory leaves .* no room \(No space left.*\n  fix: "
    with pytest.raises(UserError, match=problem + ".* TMPDIR or with cache"):
        read_images(tmp_path, paths)


def test_a_temporary_folder_is_looked_for_only_where_memory_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be none, as in a container that may write only where its outputs go."""
    paths = [put(tmp_path, "a.png", noise(0, *COLOUR))]

    def none(*_: object) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", none)
    assert len(read_images(tmp_path, paths).pixels) == 1
    fill_memory(monkeypatch, tmp_path)
    with pytest.raises(UserError, match=r"no temporary folder .*\n  fix: name a disk .* TMPDIR"):
        read_images(tmp_path, paths)
