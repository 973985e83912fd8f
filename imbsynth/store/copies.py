"""Copy or link files from one folder to another, and compute their digests on the way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from imbsynth.configs import Link
from imbsynth.errors import UserError
from imbsynth.store.digests import Digests
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.names import printable


def copy_or_link(
    root: Path,
    paths: Sequence[str],
    destination: Path,
    link: Link,
    *,
    final: Path,
    expected: Mapping[str, str] = MappingProxyType({}),
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Put root/path at destination/path for each path; returns the SHA-256 of each file.

    "copy" writes the same bytes anew, "hard" adds a name for the same file, "symbolic" points
    to it, relative to where `destination` will stand in the end (`final`).

    expected: the digests of files that were read before. Raises UserError for one that has changed
    since: what is put in place is what was looked at.
    """
    made: set[str] = set()
    digests = []
    for done, path in enumerate(paths, 1):
        parent = os.path.dirname(path)
        if parent not in made:
            os.makedirs(destination / parent, exist_ok=True)
            made.add(parent)
        digests.append(_place(root / path, f"{destination}/{path}", link, final / parent))
        if expected.get(path, digests[-1]) != digests[-1]:
            raise _changed(root / path)
        on_progress(done)
    return digests


def copy_or_link_file(source: Path, target: Path, link: Link, *, final: Path, digest: str) -> None:
    """Put one file into a folder that is there, as `copy_or_link` does, under any name.

    final: where `target` will stand in the end. digest: of the file when it was read; UserError if
    it has changed since.
    """
    if _place(source, str(target), link, final.parent) != digest:
        raise _changed(source)


def _place(source: Path, target: str, link: Link, final_parent: Path) -> str:
    """Copy or link one file; the digest of what stands at `target` then."""
    if link == "copy":
        data = read_regular(source)
        with open(target, "xb") as file:  # with no buffer, a full disk would cut the file short
            file.write(data)
        return digest_of(data)
    if link == "hard":
        try:
            os.link(os.path.realpath(source), target)
        except OSError as error:
            raise UserError(
                f"{printable(str(source))}: no hard link can be made ({error.strerror})",
                "use --link copy or --link symbolic: hard links stay within one file system",
            ) from None
        return digest_of(read_regular(Path(target)))
    real = os.path.realpath(source)
    os.symlink(os.path.relpath(real, os.path.realpath(final_parent)), target)
    return digest_of(read_regular(Path(real)))


@contextmanager
def unchanged(*paths: Path | None) -> Iterator[None]:
    """A block that reads these files more than once; UserError at its end if one has changed."""
    named = [path for path in paths if path is not None]
    before = [_version(path) for path in named]
    yield
    for path, version in zip(named, before, strict=True):
        if _version(path) != version:
            raise _changed(path)


def _version(path: Path) -> str | None:
    """The digest of a file; None if there is none, which whoever reads it reports.

    Its time does not count: `--resume` on a finished run sets it, so that make finds the checkpoint
    up to date.
    """
    try:
        return digest_of(read_regular(path))
    except UserError:
        return None


def _changed(path: Path) -> UserError:
    return UserError(
        f"{printable(str(path))}: changed while it was being used",
        "run the command again when nothing writes there",
    )


def folder_digest(paths: Sequence[str], digests: Sequence[str]) -> str:
    """SHA-256 of a folder: of its sorted paths, each with the digest of its bytes."""
    total = FolderDigest()
    for i in sorted(range(len(paths)), key=paths.__getitem__):
        total.add(paths[i], digests[i])
    return total.hexadecimal()


def whole_digest(root: Path, paths: Sequence[str], digests: Digests, others: Sequence[str]) -> str:
    """`folder_digest` with other files of the folder, which are read; "" if one cannot be."""
    try:
        more = "".join(digest_of(read_regular(root / path)) for path in others)
    except UserError:
        return ""
    return folder_digest([*paths, *others], digests + Digests(bytes.fromhex(more)))


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
