from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.configs import Fit, GenerateConfig
from imbsynth.engine import generate
from imbsynth.engine.configured import as_configured
from imbsynth.errors import UserError
from imbsynth.store import decoding, image_files
from imbsynth.store.drafts import drafted
from imbsynth.store.image_files import ImageFile, read_image_file
from imbsynth.store.picture_cache import FILE, LARGEST, kept_in
from tests.conftest import MakeFolder, contents
from tests.rights import permissions_hold

RULES = [(None, False), ((5, 7), False), ((5, 7), True)]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A gray image, one in colour, one with transparency on its side, and one that is too large."""
    rng, folder = np.random.default_rng(0), tmp_path / "files"
    folder.mkdir()
    paths = [folder / f"{name}.png" for name in ("gray", "colour", "alpha", "large")]
    Image.fromarray(rng.integers(0, 256, (9, 11), np.uint8)).save(paths[0])
    Image.fromarray(rng.integers(0, 256, (9, 11, 3), np.uint8)).save(paths[1])
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(rng.integers(0, 256, (9, 11, 4), np.uint8)).save(paths[2], exif=turned)
    Image.fromarray(rng.integers(0, 256, (300, 300, 3), np.uint8)).save(paths[3])
    assert LARGEST < 300 * 300 * 3
    return paths


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bytes of every file that is decoded."""
    found: list[bytes] = []
    decode = decoding.decode

    def noted(data: bytes, *rules: object, **more: object) -> object:
        found.append(data)
        return decode(data, *rules, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(image_files, "decode", noted)
    return found


def equal(one: ImageFile, other: ImageFile) -> bool:
    assert one.picture is not None
    assert other.picture is not None
    same = np.array_equal(one.picture.pixels, other.picture.pixels)
    return same and (one.digest, *one.picture[1:]) == (other.digest, *other.picture[1:])


@pytest.mark.parametrize(("size", "gray"), RULES)
def test_the_same_pictures_come_without_decoding(
    files: list[Path], tmp_path: Path, decoded: list[bytes], size: tuple[int, int], gray: bool
) -> None:
    expected = [read_image_file(path, size, as_gray=gray) for path in files]
    for _ in range(2):  # the second time from the file
        with kept_in(tmp_path / "cache"):
            found = [read_image_file(path, size, as_gray=gray) for path in files]
        assert all(map(equal, found, expected))
    again = len(decoded) - 2 * len(files)
    assert again == (1 if size is None else 0)  # the large one


def test_without_pixels_a_large_image_is_known_too(
    files: list[Path], tmp_path: Path, decoded: list[bytes]
) -> None:
    with kept_in(tmp_path / "cache"):
        first = read_image_file(files[3]).picture
        found = read_image_file(files[3], pixels=False).picture
    assert len(decoded) == 1
    assert first is not None
    assert found is not None
    assert found.pixels.shape == (300, 300, 3)
    assert found[1:] == first[1:]


def test_other_bytes_under_the_same_name_are_decoded(
    files: list[Path], tmp_path: Path, decoded: list[bytes]
) -> None:
    with kept_in(tmp_path / "cache"):
        read_image_file(files[0])
        files[0].write_bytes(files[1].read_bytes())
        assert equal(read_image_file(files[0]), read_image_file(files[1]))
    assert decoded[1] == files[1].read_bytes()


@pytest.mark.parametrize(
    "damage", ["pixels = x'00'", "pixels = NULL", "facts = '{}'", "facts = NULL", "digest = 'x'"]
)
def test_a_damaged_row_is_decoded_again(files: list[Path], tmp_path: Path, damage: str) -> None:
    expected = read_image_file(files[1])
    with kept_in(tmp_path / "cache"):
        read_image_file(files[1])
    with sqlite3.connect(tmp_path / "cache" / FILE) as file:
        file.execute(f"UPDATE pictures SET {damage}")
    file.close()
    with kept_in(tmp_path / "cache"):
        assert equal(read_image_file(files[1]), expected)


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match=r"images\.sqlite: file is not a database.*\n  fix: remove"):
        kept_in(tmp_path).__enter__()


def test_nobody_is_told_to_remove_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / FILE).touch(mode=0o444)
    with (
        permissions_hold(),
        pytest.raises(UserError, match=r"readonly.*\n  fix: choose a place with room"),
    ):
        kept_in(tmp_path).__enter__()


@pytest.mark.parametrize("table", ["mine (a)", "pictures (a)"])
def test_a_database_of_somebody_else_stays_as_it_is(tmp_path: Path, table: str) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute(f"CREATE TABLE {table}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UserError, match=r"sqlite: a database that is no cache of imbsynth"):
        kept_in(tmp_path).__enter__()
    assert contents(tmp_path) == {FILE: before}


def test_a_cache_stands_in_no_folder_that_a_command_reads_or_makes(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 3, "b": 2})
    (tmp_path / "link").symlink_to(src)
    for place in (src, src / "a/cache", tmp_path / "link/cache", tmp_path / "dst/cache"):
        config = GenerateConfig(src=src, dst=tmp_path / "dst", cache=place)
        with pytest.raises(UserError, match="lies in"):
            as_configured(generate.run)(config)
    assert contents(src).keys() == {"a/000.png", "a/001.png", "a/002.png", "b/000.png", "b/001.png"}
    as_configured(generate.run)(GenerateConfig(src=src, dst=tmp_path / "dst", cache=tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cache .*file"), kept_in(tmp_path / "file"):
        pass


def test_two_at_once_share_one_file(files: list[Path], tmp_path: Path) -> None:
    with kept_in(tmp_path / "cache"):
        read_image_file(files[0])
        with kept_in(tmp_path / "cache"):
            read_image_file(files[1])
    with sqlite3.connect(tmp_path / "cache" / FILE) as file:
        assert file.execute("SELECT count(*) FROM pictures").fetchone() == (2,)
    file.close()


def test_unreadable_files_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    with kept_in(tmp_path / "cache"):
        for _ in range(2):
            assert read_image_file(tmp_path / "broken.png").problem


def test_each_way_to_resize_is_kept_apart(files: list[Path], tmp_path: Path) -> None:
    fits: tuple[Fit, ...] = ("squash", "crop", "pad")
    plain = [read_image_file(files[1], (5, 7), fit=fit).picture for fit in fits]
    with kept_in(tmp_path / "cache"):
        for _ in range(2):
            kept = [read_image_file(files[1], (5, 7), fit=fit).picture for fit in fits]
            for one, other in zip(plain, kept, strict=True):
                assert one is not None
                assert other is not None
                assert one.pixels.tolist() == other.pixels.tolist()
    assert len({str(one and one.pixels.tolist()) for one in plain}) == 3


def test_a_draft_is_kept_apart_from_the_whole_image(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "image.jpg", quality=95)

    def read() -> ImageFile:
        return read_image_file(tmp_path / "image.jpg", (8, 8))

    with kept_in(tmp_path / "cache"):
        whole = read()
        with drafted(True):
            draft = read()
            with drafted(False):  # within a command that wants drafts
                assert equal(read(), draft)
        assert equal(read(), whole)
    assert whole.picture is not None
    assert draft.picture is not None
    assert not np.array_equal(whole.picture.pixels, draft.picture.pixels)
    with kept_in(tmp_path / "cache"):
        assert equal(read(), whole)
        with drafted(True):
            assert equal(read(), draft)
