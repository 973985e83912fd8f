"""Write the images of a folder as tar shards: what `shards` reads, and WebDataset too."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from imbsynth.errors import UserError, option
from imbsynth.store.folders import scan
from imbsynth.store.shards import SUFFIX
from imbsynth.store.tar_files import ABOUT, LABEL


def check_shards(count: int | None, images: int) -> None:
    """Raise UserError if some of the shards would be empty; None: there are to be none."""
    if count is not None and count > images:
        raise UserError(
            f"{option('shards')} is {count}, and there are {images} images to write",
            "ask for fewer shards",
        )


def pack(folder: Path, count: int) -> None:
    """Move the images of a folder with classes into `count` shards in it.

    Image i, in the order of sorted paths, goes into shard i mod `count`: each has its share of
    every class. A sample is the image, KEY.cls with the number of its class in sorted order, and
    KEY.json with the name of its class ("label"); if its path is not the key with a suffix, with
    its path too ("file"). The same images give the same bytes.
    """
    found = scan(folder, empty_ok=True)
    numbers = {name: number for number, name in enumerate(found.files)}
    samples = list(zip(_keys(found.paths()), found.paths(), strict=True))
    for shard in range(count):
        with _new_tar(folder / f"shard-{shard:06d}{SUFFIX}") as tar:
            for key, path in samples[shard::count]:
                _add_sample(tar, folder, key, path, numbers)
                os.unlink(folder / path)
    for inside, _, _ in os.walk(folder, topdown=False):
        if Path(inside) != folder:
            os.rmdir(inside)


def _new_tar(path: Path) -> tarfile.TarFile:
    return tarfile.open(path, "x:", format=tarfile.GNU_FORMAT, encoding="utf-8")


def _add_sample(
    tar: tarfile.TarFile, folder: Path, key: str, path: str, numbers: dict[str, int]
) -> None:
    label, suffix = path.partition("/")[0], os.path.splitext(path)[1]
    about = {"label": label} if key + suffix == path else {"label": label, "file": path}
    _add(tar, key + suffix, (folder / path).read_bytes())
    _add(tar, key + LABEL, str(numbers[label]).encode())
    _add(tar, key + ABOUT, json.dumps(about).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # of the time 0 and of no owner
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _keys(paths: Sequence[str]) -> list[str]:
    """A key for each path, no two the same, without dots in the last part."""
    taken: set[str] = set()
    found = []
    for path in paths:
        stem, _ = os.path.splitext(path)
        folder, slash, base = stem.rpartition("/")
        start = key = folder + slash + base.replace(".", "_")
        number = 1
        while key in taken:
            number += 1
            key = f"{start}-{number}"
        taken.add(key)
        found.append(key)
    return found
