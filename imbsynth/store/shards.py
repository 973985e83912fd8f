"""Tar shards of images, by the convention of WebDataset.

The files of a sample share a key, their name up to the first dot of its last part: `0001.jpg` and
`0001.cls`, or `0001.json`.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong, as_mapping, parsed
from imbsynth.store.folders import is_class_name, is_inside
from imbsynth.store.names import printable, short
from imbsynth.store.tar_files import ABOUT, LABEL, Shard, contents, is_hidden, suffix_of

SUFFIX = ".tar"
_OF_NAMES = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)

Labels = Mapping[str, bytes | None]  # by suffix: what the files of a sample say; None: too long


class _Image(NamedTuple):
    place: str  # for messages
    name: str  # in the shard
    label: str | None  # the class that its sample gives
    wanted: str | None  # the path that its sample gives


class Unpacking:
    """Puts the images of shards into a folder with one sub-folder per class."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._staging = folder, folder / ".staging"
        self._staging.mkdir()
        self._images: list[_Image] = []  # each is a file of `_staging`, called by its number

    def add(self, shard: Shard) -> None:
        """Read a shard, its images before their names are known.

        Raises UserError for one that is damaged, for a file that cannot be an image, and for a
        sample with two labels.
        """
        names: list[str] = []
        labels: dict[str, dict[str, bytes | None]] = {}
        for name, data in contents(shard):
            suffix = suffix_of(name)
            if suffix in (LABEL, ABOUT):
                own = labels.setdefault(_key(name), {})
                if own.setdefault(suffix, data) != data:
                    raise UserError(
                        f"{shard.place(name)}: another {suffix} of the same sample differs",
                        "write shards with one label per key, the part of the name before the dot",
                    )
            elif data is not None:
                (self._staging / str(len(self._images) + len(names))).write_bytes(data)
                names.append(name)
        sizes = Counter(map(_key, names))
        for name in names:
            place, said = shard.place(name), labels.get(_key(name), {})
            if said and sizes[_key(name)] > 1:
                raise UserError(
                    f"{place}: not the only image of its sample",
                    "write shards with one image per key, the part of the name before the dot",
                )
            self._images.append(_Image(place, name, *_said(place, said)))

    def finish(self, *, loose: bool) -> int:
        """Give every image its place in the folder; how many there are.

        loose: whether there may be images without a class. Raises UserError if there are others,
        and for two images with one name.
        """
        above: list[str] = []
        taken: dict[str, str] = {}
        for number, image in enumerate(self._images):
            path = _path_of(image, above, loose=loose)
            if path in taken:
                raise UserError(
                    f"{image.place}: the same class and name as {taken[path]}",
                    "write shards in which every image has a key of its own",
                )
            taken[path] = image.place
            self._put(number, image, path)
        self._staging.rmdir()
        return len(self._images)

    def _put(self, number: int, image: _Image, path: str) -> None:
        target = self._folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(self._staging / str(number), target)
        except (OSError, UnicodeEncodeError) as error:
            if isinstance(error, OSError) and error.errno not in _OF_NAMES:
                raise
            why = error.strerror if isinstance(error, OSError) else error.reason
            raise UserError(
                f"{image.place}: no file can be called {short(path, 80)!r} here ({why})",
                "give the image, or its class, another name",
            ) from None


def _path_of(image: _Image, above: list[str], *, loose: bool) -> str:
    """Where an image goes, relative to the folder.

    above: the folder that those of the classes are in, where the shards have such; it is empty
    until an image shows it.
    """
    if image.label is not None:
        return _path_in_class(image, image.label)
    if loose:
        return image.name
    inside, _, base = image.name.rpartition("/")
    if not inside:
        raise UserError(
            f"{image.place}: nothing says its class",
            f"add a file KEY{LABEL} or KEY{ABOUT}, or put it into the folder of its class",
        )
    outer, _, own = inside.rpartition("/")
    above[:] = above or [outer]
    if above != [outer]:
        raise UserError(
            f"{image.place}: its folder is not beside that of the first image, so that it may not "
            "be its class",
            f"put the folders of all classes into one, or add files KEY{LABEL} or KEY{ABOUT}",
        )
    return f"{own}/{base}"


def _path_in_class(image: _Image, label: str) -> str:
    if not is_class_name(label) or label.startswith("."):
        raise UserError(
            f"{image.place}: class {printable(label)!r} cannot be the name of a folder",
            "give the class a name without a slash, and without a dot at its beginning",
        )
    wanted = image.wanted or ""
    inside = is_inside(wanted) and not is_hidden(wanted) and wanted.startswith(f"{label}/")
    if inside and suffix_of(wanted) == suffix_of(image.name):
        return wanted
    return image.name if image.name.startswith(f"{label}/") else f"{label}/{image.name}"


def _said(place: str, labels: Labels) -> tuple[str | None, str | None]:
    """The class and the path of an image, each None if the files of its sample do not give it.

    A label in a JSON file comes first: beside it, the other file often has a number.
    """
    label = path = None
    if None in labels.values():
        raise UserError(f"{place}: what says its class is too long", "write a short label")
    if about := labels.get(ABOUT):
        label, path = _described(place, about)
    if label is None and (text := labels.get(LABEL)) is not None:
        label = text.decode("utf-8", "surrogateescape").strip()
    return label, path


def _described(place: str, about: bytes) -> tuple[str | None, str | None]:
    try:
        found = as_mapping(parsed(about), "it")
    except Wrong as error:
        raise UserError(f"{place}: its {ABOUT} is no JSON object ({error})", "repair it") from None
    label, path = found.get("label"), found.get("file")
    if isinstance(label, bool) or not isinstance(label, str | int | None):
        raise UserError(
            f"{place}: its label in {ABOUT} is neither a text nor a whole number", "repair it"
        )
    return None if label is None else str(label), path if isinstance(path, str) else None


def _key(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]
