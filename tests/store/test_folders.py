from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.folders import check_regular, read_regular, scan, scan_loose
from imbsynth.store.names import listing, printable
from tests.rights import permissions_hold

LATIN_1 = pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Two classes of one file each; `scan` goes by names alone."""
    return touched(tmp_path / "src", "cat/a.png", "dog/a.png")


def touched(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def test_classes_and_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = scan(touched(tmp_path, "b/2.png", "b/10.png", "a/z.png", "B/x.png"))
    assert folder.files == {"B": ["B/x.png"], "a": ["a/z.png"], "b": ["b/10.png", "b/2.png"]}
    assert folder.counts == {"B": 1, "a": 1, "b": 2}
    assert folder.paths() == ["B/x.png", "a/z.png", "b/10.png", "b/2.png"]
    assert folder.labels() == [0, 1, 2, 2]


def test_hidden_files_and_other_files_are_ignored_and_counted(src: Path) -> None:
    touched(src, "cat/.DS_Store", "cat/.b.png", "cat/notes.txt", "dog/png", "dog/.git/a.png")
    folder = scan(src)
    assert folder.counts == {"cat": 1, "dog": 1}
    assert folder.ignored == 5
    assert folder.irregular == []


def test_what_lies_beside_the_classes_is_no_class(src: Path) -> None:
    touched(src, "run.json", "manifest.jsonl", "samples.png", ".cache/a.png")
    assert scan(src).counts == {"cat": 1, "dog": 1}


def test_folders_in_a_class_belong_to_it(src: Path) -> None:
    touched(src, "cat/2023/may/b.png", "cat/2024/b.png")
    assert scan(src).files["cat"] == ["cat/2023/may/b.png", "cat/2024/b.png", "cat/a.png"]


def test_extensions_may_be_upper_case(src: Path) -> None:
    touched(src, "cat/B.PNG", "cat/C.Jpeg", "cat/D.TIF", "cat/e.tar.webp")
    assert scan(src).counts["cat"] == 5


NAMES = ["two words", "-rf", "--force", "😀", "a\nb", "日本", "'\"", "a\\b", "%s {x}", "c.png"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_a_class_and_a_file(tmp_path: Path, name: str) -> None:
    folder = scan(touched(tmp_path, f"{name}/{name}.png"))
    assert folder.files == {name: [f"{name}/{name}.png"]}


@LATIN_1
def test_a_name_that_is_no_utf_8_is_kept_byte_by_byte(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    folder = scan(touched(tmp_path, f"{name}/{name}.png"))
    assert os.fsencode(folder.paths()[0]) == b"caf\xe9/caf\xe9.png"
    assert (tmp_path / folder.paths()[0]).is_file()


def test_empty_classes_are_named(src: Path) -> None:
    touched(src, "bird/notes.txt")
    (src / "eel").mkdir()
    with pytest.raises(UserError, match="no images in class bird, eel\n  fix: add images"):
        scan(src)


def test_a_folder_without_classes_says_what_is_needed(tmp_path: Path) -> None:
    touched(tmp_path, "a.png", ".hidden/a.png")
    with pytest.raises(
        UserError, match="no class folders in it\n  fix: give a folder with one sub"
    ):
        scan(tmp_path)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no such folder"):
        scan(tmp_path / ("a" * 300))


def test_a_file_is_not_a_folder(src: Path) -> None:
    with pytest.raises(UserError, match=r"a\.png: not a folder"):
        scan(src / "cat/a.png")


def test_links_to_files_are_followed_wherever_they_lead(src: Path, tmp_path: Path) -> None:
    touched(tmp_path, "elsewhere/b.png")
    (src / "cat/b.png").symlink_to(tmp_path / "elsewhere/b.png")
    folder = scan(src)
    assert folder.files["cat"] == ["cat/a.png", "cat/b.png"]
    check_regular(folder)


def test_links_to_folders_inside_are_followed(src: Path) -> None:
    (src / "cat/more").symlink_to("../dog")
    (src / "wolf").symlink_to("dog")
    assert scan(src).files == {
        "cat": ["cat/a.png", "cat/more/a.png"],
        "dog": ["dog/a.png"],
        "wolf": ["wolf/a.png"],
    }


def test_the_folder_itself_may_be_a_link(src: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("src")
    (src / "wolf").symlink_to("dog")
    assert scan(tmp_path / "link").files == scan(src).files


@pytest.mark.parametrize("place", ["wolf", "cat/more"])
def test_links_to_folders_never_lead_out(src: Path, tmp_path: Path, place: str) -> None:
    touched(tmp_path, "src-2/b.png")  # its path begins with that of src
    (src / place).symlink_to(tmp_path / "src-2")
    with pytest.raises(UserError, match=f"{place}: a link to a folder that leads out of"):
        scan(src)


@pytest.mark.parametrize("target", [".", "..", "../../src/cat"])
def test_links_to_folders_never_lead_back_up(src: Path, target: str) -> None:
    (src / "cat/more").symlink_to(target)
    with pytest.raises(UserError, match="cat/more: a link to a folder that leads back up in"):
        scan(src)


def test_two_links_that_lead_to_each_other_are_refused(src: Path) -> None:
    (src / "cat/more").symlink_to("../dog")
    (src / "dog/more").symlink_to("../cat")
    with pytest.raises(UserError, match="cat/more/more: a link to a folder that leads back up in"):
        scan(src)


def test_image_names_that_stand_for_no_file_are_listed(src: Path) -> None:
    os.mkfifo(src / "cat/pipe.png")
    (src / "cat/dangling.png").symlink_to("nothing")
    (src / "cat/itself.png").symlink_to("itself.png")
    (src / "cat/dangling.txt").symlink_to("nothing")
    folder = scan(src)
    assert folder.irregular == ["cat/dangling.png", "cat/itself.png", "cat/pipe.png"]
    assert folder.files["cat"] == ["cat/a.png"]
    assert folder.ignored == 1
    with pytest.raises(UserError, match=r"cat/dangling\.png, cat/itself\.png, cat/pipe\.png"):
        check_regular(folder)


def test_a_class_of_pipes_alone_is_irregular_and_not_empty(src: Path) -> None:
    (src / "eel").mkdir()
    os.mkfifo(src / "eel/pipe.png")
    assert scan(src).irregular == ["eel/pipe.png"]


def test_a_class_that_may_not_be_listed_is_named(src: Path) -> None:
    (src / "dog").chmod(0)
    with permissions_hold(), pytest.raises(UserError, match="dog: cannot be listed"):
        scan(src)
    (src / "dog").chmod(0o700)


def test_a_message_is_one_line_whatever_the_names(src: Path) -> None:
    (src / "a\nb").symlink_to("..")
    with pytest.raises(UserError) as caught:
        scan(src)
    assert "\n" not in caught.value.problem


def test_a_listing_stops_after_five() -> None:
    assert listing(list("abcde")) == "a, b, c, d, e"
    assert listing(list("abcdefg")) == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("日本 😀", "日本 😀"), ("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("\udce9", "\\udce9")],
)
def test_a_printable_name_is_one_line_that_any_terminal_takes(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert shown.encode()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.png: cannot be read \(No such file or directory\)"):
        read_regular(tmp_path / "gone.png")


def test_what_could_wait_or_go_on_for_ever_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(UserError, match=f"{path}: cannot be read .not a regular file"):
            read_regular(path)


def test_images_without_classes_are_found_at_any_depth(tmp_path: Path) -> None:
    root = touched(tmp_path / "src", "b.png", "a/c/d.JPG", "a/notes.txt", ".hid/x.png", ".y.png")
    (root / "gone.png").symlink_to(root / "nowhere")
    found = scan_loose(root)
    assert found.paths == ["a/c/d.JPG", "b.png"]
    assert found.irregular == ["gone.png"]
    (tmp_path / "link").symlink_to(root)  # the folder itself may be one
    assert scan_loose(tmp_path / "link").paths == found.paths
    (root / "a/up").symlink_to(root)
    with pytest.raises(UserError, match="leads back up"):
        scan_loose(root)
    with pytest.raises(UserError, match="no such folder"):
        scan_loose(tmp_path / "nowhere")
