"""More than a disk can take is refused before the work begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.disk import check_room


def test_more_than_a_disk_holds_is_refused(tmp_path: Path) -> None:
    check_room(tmp_path, "the images", files=10, size=100)
    with pytest.raises(UserError, match=r"the images would take .* MB.*\n  fix: free some space"):
        check_room(tmp_path, "the images", files=1000, size=10**15)


def test_a_file_takes_whole_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(blocks=6))
    check_room(tmp_path, "the images", files=3, size=4097)
    with pytest.raises(UserError, match=r"would take 0\.03 MB, .* has room for 0\.02 MB"):
        check_room(tmp_path, "the images", files=4, size=4097)


def test_a_disk_may_lack_files_rather_than_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(blocks=100, files=2))
    check_room(tmp_path, "the images", files=2, size=1)
    with pytest.raises(UserError, match=r"would take 3 files, .* has room for 2 files"):
        check_room(tmp_path, "the images", files=3, size=1)


def disk(*, blocks: int, files: int = 0) -> os.statvfs_result:
    """What the system says of a disk: free blocks of 4 KiB, free files (0: it does not count)."""
    return os.statvfs_result((4096, 4096, 1000, blocks, blocks, files, files, files, 0, 255))
