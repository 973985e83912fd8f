"""Folders of images per class: what is in them, by name alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import NamedTuple, TypeGuard

from imbsynth.errors import UserError
from imbsynth.store.names import listing, printable

# The raster formats that every build of Pillow reads, and WebP, JPEG 2000 and AVIF, which most do.
IMAGE_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".pcx", ".ico", ".sgi", ".rgb"}
    | {".jp2", ".j2k", ".avif"}
)


class ImageFolder(NamedTuple):
    """The images of a folder, by class."""

    root: Path
    files: dict[str, list[str]]  # class -> paths relative to root, "/" between parts; all sorted
    irregular: list[str]  # image names that are not files: pipes, dangling links
    ignored: int  # hidden files and files that are not images

    @property
    def counts(self) -> dict[str, int]:
        """The number of images of each class."""
        return {name: len(files) for name, files in self.files.items()}

    def paths(self) -> list[str]:
        """Every image, in class order."""
        return [path for files in self.files.values() for path in files]

    def labels(self) -> list[int]:
        """The class index of every image of `paths`."""
        return [label for label, files in enumerate(self.files.values()) for _ in files]


def scan(root: Path, *, empty_ok: bool = False) -> ImageFolder:
    """The images below `root`, whose sub-folders are the classes.

    Sub-folders of a class belong to it. Links to files are followed, links to folders only
    within `root`. Raises UserError for a missing folder, one without classes, an empty class
    (unless `empty_ok`), and a linked folder that leads out or back up.
    """
    if not os.path.isdir(root):
        raise UserError(
            f"{root}: no such folder" if not os.path.exists(root) else f"{root}: not a folder",
            "give a folder with one sub-folder of images per class",
        )
    walk = _Walk(root)
    classes = sorted(entry.name for entry in walk.folders_of(""))
    for name in classes:
        walk.collect(name, name)
    folder = ImageFolder(
        root,
        {name: sorted(walk.files[name]) for name in classes},
        sorted(walk.irregular),
        walk.ignored,
    )
    _check_classes(folder, empty_ok)
    return folder


class LooseImages(NamedTuple):
    """The images of a folder without classes."""

    paths: list[str]  # relative to the folder, "/" between parts; sorted
    irregular: list[str]  # image names that are not files: pipes, dangling links


def scan_loose(root: Path) -> LooseImages:
    """All images below `root`, whatever its sub-folders mean; UserError as for `scan`."""
    if not os.path.isdir(root):
        raise UserError(f"{root}: no such folder", "give a folder of images, or image files")
    walk = _Walk(root)
    walk.collect("", "")
    return LooseImages(sorted(walk.files[""]), sorted(walk.irregular))


class _Walk:
    """One pass over a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.files: dict[str, list[str]] = {}
        self.irregular: list[str] = []
        self.ignored = 0

    def folders_of(self, inside: str) -> list[os.DirEntry[str]]:
        """The visible sub-folders of `inside`; files beside them are counted as ignored."""
        folders, others = [], 0
        for entry in self._entries(inside):
            if _is(entry.is_dir):
                folders.append(entry)
            else:
                others += os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES
        self.ignored += others
        return folders

    def collect(self, class_name: str, inside: str) -> None:
        """Add the images of the folder `inside` (relative to the root), and below, to a class."""
        if inside:
            self._check_link(inside)
        found = self.files.setdefault(class_name, [])
        for entry in self._entries(inside):
            path = f"{inside}/{entry.name}" if inside else entry.name
            if _is(entry.is_dir):
                self.collect(class_name, path)
            elif os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:
                self.ignored += 1
            elif _is(entry.is_file):
                found.append(path)
            else:
                self.irregular.append(path)

    def _entries(self, inside: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / inside) as entries:
                listed = list(entries)
        except OSError as error:
            raise UserError(
                f"{printable(str(self.root / inside))}: cannot be listed ({error.strerror})",
                "make the folder readable, or remove it",
            ) from None
        visible = [entry for entry in listed if not entry.name.startswith(".")]
        self.ignored += len(listed) - len(visible) if inside else 0
        return visible

    def _check_link(self, inside: str) -> None:
        path = self.root / inside
        if not path.is_symlink():
            return
        target = os.path.realpath(path)
        leaves = not _is_within(target, self.real_root)
        parts = inside.split("/")
        above = [self.root.joinpath(*parts[:depth]) for depth in range(len(parts))]
        loops = any(_is_within(os.path.realpath(folder), target) for folder in above)
        if leaves or loops:
            raise UserError(
                f"{printable(str(path))}: a link to a folder that leads "
                f"{'out of' if leaves else 'back up in'} {self.root}",
                "link the files one by one, or copy the folder there",
            )


def _is(check: Callable[[], bool]) -> bool:
    """The answer of an entry; False for a link to itself or into a folder that may not be read."""
    try:
        return check()
    except OSError:
        return False


def _is_within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _check_classes(folder: ImageFolder, empty_ok: bool) -> None:
    if not folder.files:
        raise UserError(
            f"{folder.root}: no class folders in it",
            "give a folder with one sub-folder of images per class",
        )
    irregular = {path.split("/")[0] for path in folder.irregular}
    empty = [name for name, n in folder.counts.items() if n == 0 and name not in irregular]
    if empty and not empty_ok:
        raise UserError(
            f"{folder.root}: no images in class {listing(empty)}",
            "add images to it, or remove the folder",
        )


def check_regular(folder: ImageFolder) -> None:
    """Raise UserError if an image name belongs to something that is not a file."""
    if folder.irregular:
        raise UserError(
            f"{folder.root}: not regular files: {listing(folder.irregular)}",
            "remove them: pipes and dangling links cannot be read as images",
        )


def is_inside(path: str) -> bool:
    """Whether a path read from a file is relative and leads nowhere but down."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def is_class_name(name: str) -> bool:
    """Whether a class read from a file can be the name of a folder."""
    return "/" not in name and is_inside(name)


def digest_of(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def is_digest(value: object) -> TypeGuard[str]:
    """Whether a value read from a file can be a digest of ours."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def fingerprint(folder: ImageFolder) -> str:
    """A digest of the names and sizes of all images: it shows most changes, and reads no image."""
    sizes = [[path, size_of_regular(folder.root / path)] for path in folder.paths()]
    return digest_of(json.dumps(sizes).encode())


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file; OSError as for `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def open_regular(path: Path) -> FileIO:
    """A regular file, to be read to its end; OSError for others, which could go on for ever."""
    file = open(path, "rb", buffering=0, opener=_without_waiting)  # noqa: SIM115 - the caller's
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe that nobody writes to is opened at once


def read_regular(path: Path) -> bytes:
    """The bytes of a file; UserError if it cannot be read."""
    try:
        return read_bytes(path)
    except OSError as error:
        raise unreadable(path, error) from None


def size_of_regular(path: Path) -> int:
    """The size of a file in bytes; UserError if it cannot be told."""
    try:
        return os.stat(path).st_size
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> UserError:
    """The error of a file that cannot be read."""
    return UserError(
        f"{printable(str(path))}: cannot be read ({error.strerror})",
        "make the file readable, or remove it",
    )
