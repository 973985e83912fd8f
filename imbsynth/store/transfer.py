"""Copy or link files from one folder to another, and compute their digests on the way."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from imbsynth.configs import Link
from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of, read_regular, size_of_regular
from imbsynth.store.names import printable


def transfer(
    root: Path,
    paths: Sequence[str],
    destination: Path,
    link: Link,
    *,
    final: Path,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Put root/path at destination/path for each path; returns the SHA-256 of each file.

    "copy" writes the same bytes anew, "hard" adds a name for the same file, "symbolic" points
    to it, relative to where `destination` will stand in the end (`final`).
    """
    made: set[str] = set()
    digests = []
    for done, path in enumerate(paths, 1):
        parent = os.path.dirname(path)
        if parent not in made:
            os.makedirs(destination / parent, exist_ok=True)
            made.add(parent)
        data = read_regular(root / path)
        digests.append(digest_of(data))
        _place(root / path, f"{destination}/{path}", data, link, final / parent)
        on_progress(done)
    return digests


def duplicate(source: Path, target: Path, link: Link, *, final: Path) -> None:
    """Put one file into a folder that is there, as `transfer` does, under any name.

    final: where `target` will stand in the end.
    """
    data = read_regular(source) if link == "copy" else b""
    _place(source, str(target), data, link, final.parent)


def place(root: Path, path: str, destination: Path, link: Link, *, final: Path) -> None:
    """Put the file root/path into the folder `destination`, under the same path; see `transfer`."""
    target = destination / path
    os.makedirs(target.parent, exist_ok=True)
    duplicate(root / path, target, link, final=final / path)


def _place(source: Path, target: str, data: bytes, link: Link, final_parent: Path) -> None:
    if link == "copy":
        with open(target, "xb") as file:  # with no buffer, a full disk would cut the file short
            file.write(data)
    elif link == "hard":
        try:
            os.link(os.path.realpath(source), target)
        except OSError as error:
            raise UserError(
                f"{printable(str(source))}: no hard link can be made ({error.strerror})",
                "use --link copy or --link symbolic: hard links stay within one file system",
            ) from None
    else:
        os.symlink(
            os.path.relpath(os.path.realpath(source), os.path.realpath(final_parent)), target
        )


def equal_files(root: Path, paths: Sequence[str]) -> list[list[str]]:
    """Groups of files with the same bytes. Only files of one size are read."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for path in paths:
        by_size[size_of_regular(root / path)].append(path)
    by_content: dict[str, list[str]] = defaultdict(list)
    for alike in by_size.values():
        for path in alike if len(alike) > 1 else ():
            by_content[digest_of(read_regular(root / path))].append(path)
    return [group for group in by_content.values() if len(group) > 1]


def folder_digest(paths: Sequence[str], digests: Sequence[str]) -> str:
    """SHA-256 of a folder: of its sorted paths, each with the digest of its bytes."""
    total = FolderDigest()
    for path, digest in sorted(zip(paths, digests, strict=True)):
        total.add(path, digest)
    return total.hexadecimal()


class FolderDigest:
    """The digest of a folder whose files come one by one, sorted by path."""

    def __init__(self) -> None:
        self._total = hashlib.sha256()

    def add(self, path: str, digest: str) -> None:
        """The next file and the digest of its bytes."""
        line = path.encode("utf-8", "surrogateescape") + b"\0" + digest.encode() + b"\n"
        self._total.update(line)

    def hexadecimal(self) -> str:
        """SHA-256 of the files so far."""
        return self._total.hexdigest()
