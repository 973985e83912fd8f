"""Copy shards and remote images into a local folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from imbsynth.errors import UserError
from imbsynth.store.disk import check_room
from imbsynth.store.file_systems import CHUNK, FileSystem, LocalFiles, RemoteFiles, address_of
from imbsynth.store.folders import IMAGE_SUFFIXES, digest_of, is_inside
from imbsynth.store.names import listing
from imbsynth.store.outputs import new_folder
from imbsynth.store.places import temporary_place
from imbsynth.store.records import ENCODED, MANIFEST, SAMPLES
from imbsynth.store.shards import SUFFIX, Unpacking
from imbsynth.store.sharing import make_once
from imbsynth.store.tar_files import Shard

KEPT = "sources"  # the folder in a cache
NAMES = ".names"  # in a folder that is kept: a digest of its files' names and sizes
RULES = 1  # to be counted up when the same source is brought to another folder
MOST = 100_000  # shards of a source

OnFile = Callable[[int], None]  # is told how many files have been read


class SourceFiles(NamedTuple):
    """What a source consists of."""

    files: FileSystem
    shards: list[str]
    others: dict[str, str]  # what goes into the folder as it is: its path there, and where it is

    def size(self) -> int:
        """In bytes; too small if a server does not tell all sizes."""
        return sum(map(self.files.size, (*self.shards, *self.others.values())))

    def key(self, *, loose: bool) -> str:
        """A digest that changes with the content, and with the folder that is made of it.

        UserError at an address where the server does not tell versions apart.
        """
        self.files.refresh()
        shards = [self.files.version(path) for path in self.shards]
        others = {inner: self.files.version(path) for inner, path in self.others.items()}
        return digest_of(json.dumps([RULES, loose, shards, others], sort_keys=True).encode())


def source_at(given: Path) -> SourceFiles | None:
    """What is at a path; None for a local folder of images, and for nothing at all.

    Raises UserError for a pattern or an address where there is nothing.
    """
    address = address_of(given)
    files: FileSystem = LocalFiles() if address is None else RemoteFiles(address)
    path = address or str(given)
    if files.is_folder(path):
        found = _in_folder(files, path)
        return found if found.shards or address is not None else None
    if files.is_file(path):
        is_shard = path.endswith(SUFFIX)
        if not is_shard and re.search(r"\.(tgz|tar\.\w+)$", path):
            raise UserError(
                f"{path}: a compressed tar file", "decompress it (gunzip), so that it ends in .tar"
            )
        if not is_shard and address is not None:
            raise UserError(f"{path}: not a tar file", "give a folder of images, or tar files")
        return _of_shards(files, [path]) if is_shard else None
    if re.search(r"[*?[{]", path):
        return _of_shards(files, _matching(files, path))
    if address is not None:
        raise UserError(f"{path}: nothing is there", "check the address")
    return None


def _in_folder(files: FileSystem, path: str) -> SourceFiles:
    """A folder of shards, if it has no sub-folders and no images; else its images."""
    visible = [one for one in files.entries(path) if not one.name.startswith(".")]
    shards = [one.path for one in visible if one.name.endswith(SUFFIX) and not one.is_folder]
    images = [one.name for one in visible if one.is_folder or _is_image(one.name)]
    if shards and set(images) <= {SAMPLES}:
        return _of_shards(files, shards)
    wanted = [inner for inner in files.below(path) if _is_wanted(inner)]
    return SourceFiles(files, [], {inner: f"{path.rstrip('/')}/{inner}" for inner in wanted})


def _of_shards(files: FileSystem, shards: list[str]) -> SourceFiles:
    """Shards, and what stands beside them if `generate` made them.

    Raises UserError for shards of several folders if there is any of that: it describes the shards
    of one folder.
    """
    folders = sorted({os.path.dirname(path) for path in shards})
    beside = [(name, os.path.join(one, name)) for one in folders for name in (MANIFEST, ENCODED)]
    others = [(name, path) for name, path in beside if files.is_file(path)]
    if others and len(folders) > 1:
        raise UserError(
            f"{others[0][1]}: it describes the shards beside it, but others are in other folders",
            "give the shards of one folder",
        )
    return SourceFiles(files, shards, dict(others))


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _is_wanted(path: str) -> bool:
    hidden = any(part.startswith(".") for part in path.split("/"))
    return path in (MANIFEST, ENCODED) or (_is_image(path) and is_inside(path) and not hidden)


def _matching(files: FileSystem, pattern: str) -> list[str]:
    """The shards that a pattern describes; UserError if there are none, or some are missing."""
    found: list[str] = []
    for path in expanded(pattern):
        found += files.matching(path) if re.search(r"[*?[]", path) else [path]
    missing = [path for path in found if not files.is_file(path)]
    if missing or not found:
        raise UserError(
            f"{pattern}: no such files{': ' if missing else ''}{listing(missing)}",
            "check the path: give a folder of images, or tar files, that are there",
        )
    others = [path for path in found if not path.endswith(SUFFIX)]
    if others:
        raise UserError(
            f"{pattern}: not tar files: {listing(others)}", f"give a pattern of *{SUFFIX} files"
        )
    return found


def expanded(pattern: str) -> list[str]:
    """What braces stand for, as in a shell: {a,b}, or {000..012} with leading zeros."""
    found = re.search(r"\{(\d{1,9})\.\.(\d{1,9})\}|\{([^{}]*,[^{}]*)\}", pattern)
    if found is None:
        return [pattern]
    first, last, names = found.groups()
    choices = names.split(",") if names is not None else _numbers(pattern, first, last)
    before, after = pattern[: found.start()], expanded(pattern[found.end() :])
    if len(choices) * len(after) > MOST:
        raise UserError(f"{pattern}: more than {MOST:,} files", "give fewer, larger shards")
    return [f"{before}{choice}{rest}" for choice in choices for rest in after]


def _numbers(pattern: str, first: str, last: str) -> list[str]:
    low, high = int(first), int(last)
    if not 0 <= high - low < MOST:
        raise UserError(
            f"{pattern}: {{{first}..{last}}} does not count up, or too far",
            f"give at most {MOST:,} shards",
        )
    width = len(first) if first.startswith("0") else 0
    return [f"{number:0{width}d}" for number in range(low, high + 1)]


@contextmanager
def fetched(
    source: SourceFiles, name: str, cache: Path | None, *, loose: bool, on_file: OnFile
) -> Iterator[Path]:
    """A local folder of this name with the images of a source, while the block lasts.

    cache: where it is kept, by its content, and found again; None: it is removed at the end.
    loose: whether images may be of no class. Raises UserError for shards that cannot be used, for
    a lack of room, and for images to be kept that change while they are read.
    """

    def fill(folder: Path) -> None:
        check_room(folder, "the images", files=1, size=source.size())
        _fill(source, folder, loose, on_file)

    with TemporaryDirectory(prefix="imbsynth-", dir=temporary_place()) as above:
        place = Path(above).resolve() / name
        if cache is None:
            with new_folder(place, command="fetch", force=False) as part:
                fill(part)
        else:
            key = source.key(loose=loose)

            def fill_and_check(folder: Path) -> None:
                fill(folder)
                if source.key(loose=loose) != key:  # or these images would be kept for others
                    raise UserError(
                        f"{name}: changed while it was being read", "run the command again"
                    )

            kept = cache.absolute() / KEPT / key
            _keep(kept, fill_and_check)
            place.symlink_to(kept)
        yield place


def _keep(kept: Path, fill: Callable[[Path], None]) -> None:
    """Have a folder filled, once, by this process or by another."""

    def make() -> None:
        with new_folder(kept, command="fetch", force=False) as part:
            fill(part)
            (part / NAMES).write_text(_names(part))

    make_once(kept, make)
    names = kept / NAMES
    if not names.is_file() or names.read_text() != _names(kept):
        raise UserError(
            f"{kept}: files have been added, changed or removed", "remove this folder of the cache"
        )


def _names(folder: Path) -> str:
    found = [
        (os.path.relpath(os.path.join(inside, name), folder), os.path.join(inside, name))
        for inside, _, names in os.walk(folder)
        for name in names
        if name != NAMES
    ]
    sizes = sorted((inner, os.stat(path).st_size) for inner, path in found)
    return digest_of(json.dumps(sizes).encode())


def _fill(source: SourceFiles, folder: Path, loose: bool, on_file: OnFile) -> None:
    files, done = source.files, 0
    if source.shards:
        unpacking = Unpacking(folder)
        for path in source.shards:
            with files.open(path) as file:
                unpacking.add(Shard(path, file))
            on_file(done := done + 1)
        if not unpacking.finish(loose=loose):
            raise UserError(
                f"{listing(source.shards)}: no image, by the suffixes of the files in it",
                "give tar files with images, such as KEY.jpg or KEY.png",
            )
    for inner, path in source.others.items():
        target = folder / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        with files.open(path) as file, open(target, "xb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
        on_file(done := done + 1)
