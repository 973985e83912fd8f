"""What is read of a tar file that anybody may have made: images, and what says their classes."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from imbsynth.errors import UserError
from imbsynth.store.folders import IMAGE_SUFFIXES, is_inside
from imbsynth.store.names import printable

LABEL, ABOUT = ".cls", ".json"  # of the files that say the class of a sample
LARGEST, LARGEST_LABEL = 1 << 30, 1 << 20  # bytes of an image, and of what says its class
BLOCK, CHUNK = 512, 1 << 20  # bytes: of a tar file, and of what is read at once

_OF_BYTES = (tarfile.TarError, OSError, ValueError, OverflowError, MemoryError)  # of wrong ones


class Shard(NamedTuple):
    """A shard that is open."""

    name: str  # for messages
    file: BinaryIO

    def place(self, name: str) -> str:
        """A file in it, for messages."""
        return f"{self.name}: {printable(name)}"


def contents(shard: Shard) -> Iterator[tuple[str, bytes | None]]:
    """The images of a shard and what may say their classes; None in place of a long text."""
    with _opened(shard) as tar:
        while member := _next(shard, tar):
            name = member.name.removeprefix("./")
            is_label = suffix_of(name) in (LABEL, ABOUT)
            if member.isdir() or not (is_label or suffix_of(name) in IMAGE_SUFFIXES):
                continue
            _check(shard, name, member)
            if is_hidden(name):
                continue
            if is_label and member.size > LARGEST_LABEL:
                yield name, None
            else:
                yield name, _bytes_of(shard, tar, member)
        _check_end(shard, tar)


def _check(shard: Shard, name: str, member: tarfile.TarInfo) -> None:
    """Raise UserError for what cannot be put into a folder as an image."""
    if not is_inside(name):
        problem, fix = "its name leads elsewhere", "write the shard again, with relative names"
    elif not member.isreg() or member.issparse():
        problem, fix = "not a regular file", "write files in place of links, pipes and devices"
    elif suffix_of(name) in IMAGE_SUFFIXES and member.size > LARGEST:
        problem, fix = f"{member.size:,} bytes are too many for an image", "leave it out"
    else:
        return
    raise UserError(f"{shard.place(name)}: {problem}", fix)


def _opened(shard: Shard) -> tarfile.TarFile:
    with _reading(shard):
        return tarfile.open(fileobj=shard.file, mode="r:", encoding="utf-8")


def _next(shard: Shard, tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _reading(shard):
        member = tar.next()
    if member is not None and member.size < 0:  # the next one would be this one, for ever
        raise _damaged(shard, "a size below zero")
    tar.members = []  # type: ignore[attr-defined]  # or it would keep them all
    return member


def _bytes_of(shard: Shard, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    with _reading(shard):
        file = tar.extractfile(member)
        return b"" if file is None else file.read()


def _check_end(shard: Shard, tar: tarfile.TarFile) -> None:
    """Raise UserError for a shard without the zeros that end it, and for one with more after them.

    tarfile takes the end of the file, and whatever is no header, for the end of the shard.
    """
    with _reading(shard):
        shard.file.seek(tar.offset)
        if shard.file.read(BLOCK) != bytes(BLOCK):
            raise _damaged(shard, "it does not end as it should")
        while chunk := shard.file.read(CHUNK):
            if chunk.strip(b"\0"):
                raise UserError(
                    f"{shard.name}: something follows the end of the tar file",
                    "give several tar files as they are, not put together",
                )


@contextmanager
def _reading(shard: Shard) -> Iterator[None]:
    """A block in which whatever wrong bytes make tarfile raise is the user's."""
    try:
        yield
    except _OF_BYTES as error:
        raise _damaged(shard, error or type(error).__name__) from None


def _damaged(shard: Shard, why: object) -> UserError:
    return UserError(
        f"{shard.name}: no tar file, or a damaged one ({why})",
        "copy it again; decompress it first if it is compressed, for instance with gunzip",
    )


def suffix_of(name: str) -> str:
    """In lower case, with its dot."""
    return os.path.splitext(name)[1].lower()


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder that it is in, begins with a dot."""
    return any(part.startswith(".") for part in name.split("/"))
