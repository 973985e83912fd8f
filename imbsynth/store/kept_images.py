"""The decoded images of a folder that is too large for memory, kept in a cache by its content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imbsynth.configs import Size
from imbsynth.errors import UserError, option
from imbsynth.store.digests import SIZE, Digests
from imbsynth.store.drafts import drafting
from imbsynth.store.fields import Wrong, as_mapping, mapping, parsed, sequence, text, whole
from imbsynth.store.folders import digest_of, open_regular, read_bytes
from imbsynth.store.growing import cached_images
from imbsynth.store.image_reader import OnProgress
from imbsynth.store.images import ImageForm, Images, read_images
from imbsynth.store.memory import in_memory, room
from imbsynth.store.outputs import claim, new_folder
from imbsynth.store.parallel import in_order, threads_for
from imbsynth.store.picture_cache import current, key_of, not_saved
from imbsynth.store.row_files import CHUNK, Form, PixelArray, RowFile, Stored, in_chunks
from imbsynth.store.sharing import make_once, wait_and_make

KEPT = "folders"  # in a cache
# Of a folder that is kept: its pixels, the digests of its images' own pixels, and all else.
PIXELS, PICTURES, ABOUT = "pixels.u8", "pictures.sha256", "about.json"
_COUNTS = ("composited", "resized", "made_rgb", "made_gray")  # fields of `Images`


class CacheRequest(NamedTuple):
    """A folder of images that is to be found in the cache, or to be put there."""

    root: Path
    paths: Sequence[str]  # relative to the folder
    form: ImageForm
    digests: Digests  # SHA-256 of each file

    @property
    def place(self) -> Path:
        """Where it is kept."""
        cache = current()
        if cache is None:
            raise ValueError("there is no cache")
        draft = ["draft"] if drafting() else []
        key = key_of(digest_of(self.digests.keys.tobytes()), *self.form, *draft)
        return cache.folder.absolute() / KEPT / digest_of(key.encode())


def is_kept_whole(count: int, size: Size | None, channels: int | None) -> bool:
    """Whether so many images are kept together: there is a cache, and memory may be too small.

    size: (height, width) in pixels; None if it is not known before decoding.
    """
    if current() is None or size is None:
        return False
    return count * (channels or 3) * prod(size) > room()


def file_digests(
    root: Path, paths: Sequence[str], *, cores: int, on_progress: OnProgress
) -> Digests | None:
    """The SHA-256 of each file; None if one of them cannot be read."""

    def digest(path: str) -> str:
        try:
            return digest_of(read_bytes(root / path))
        except OSError:
            return ""  # decoding reports it

    found = Digests()
    digests = in_order(digest, paths, threads=threads_for(root, paths, cores))
    for done, one in enumerate(digests, 1):
        found.append(one)
        on_progress(done)
    return found if len(found) == len(paths) else None


def read_kept(
    wanted: CacheRequest, *, cores: int, on_progress: OnProgress
) -> tuple[Images, Path | None]:
    """The images as `read_images` gives them, decoded once for all processes and commands.

    Also the place in the cache if what was there is damaged, and was made anew. UserError as for
    `read_images`, and for files that change while they are read.
    """
    place = wanted.place
    damaged = os.path.lexists(place)
    if damaged:
        found = _load(place, wanted)
        if found is not None:
            return found, None
        wait_and_make(lambda: _discard(place, wanted))

    def make() -> None:
        with new_folder(place, command="decode", force=False) as part, not_saved():
            _fill(part, wanted, cores, on_progress)

    make_once(place, make)
    found = _load(place, wanted)
    if found is None:
        raise UserError(f"{place}: damaged", "remove this folder of the cache")
    return found, place if damaged else None


def _discard(place: Path, wanted: CacheRequest) -> None:
    """Remove what is damaged, unless another process has made it anew."""
    with claim(place):
        if not os.path.lexists(place) or _load(place, wanted) is not None:
            return
        try:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        except OSError as error:
            raise UserError(
                f"{place}: damaged, and cannot be removed ({error.strerror})",
                f"have it removed by its owner, or give another {option('cache')}",
            ) from None


def _fill(part: Path, wanted: CacheRequest, cores: int, on_progress: OnProgress) -> None:
    root, paths, form, digests = wanted
    images = read_images(
        root, paths, form, cores=cores, on_progress=on_progress, spill=cached_images(part / PIXELS)
    )
    unread = set(images.skipped)
    skipped = np.array([path in unread for path in paths], bool)
    if images.digests != digests.some(np.flatnonzero(~skipped)):
        raise UserError(f"{root}: files change while they are read", "run the command again")
    if not isinstance(images.pixels, RowFile):
        _write(part / PIXELS, images)
    (part / PICTURES).write_bytes(images.pixel_digests.keys.tobytes())
    about: dict[str, Any] = {name: getattr(images, name) for name in _COUNTS}
    about["size"] = images.pixels.shape[1:]
    about["skipped"] = np.flatnonzero(skipped).tolist()
    about["files"] = {name: _digest_of_file(part / name) for name in (PIXELS, PICTURES)}
    line = json.dumps(about, sort_keys=True)
    (part / ABOUT).write_text(json.dumps([line, digest_of(line.encode())]))


def _write(path: Path, images: Images) -> None:
    """Pixels for which there was room after all, such as gray ones, are kept all the same."""
    with open(path, "xb") as file:
        for some in in_chunks(images.pixels):
            file.write(some.tobytes())


def _load(place: Path, wanted: CacheRequest) -> Images | None:
    """What is kept; None if it is not as it was written."""
    try:
        lines = sequence({ABOUT: parsed(read_bytes(place / ABOUT))}, ABOUT)
        if text(lines, 1) != digest_of(text(lines, 0).encode()):
            return None
        return _images(place, wanted, as_mapping(parsed(text(lines, 0)), ABOUT))
    except (OSError, Wrong):
        return None


def _images(place: Path, wanted: CacheRequest, about: Any) -> Images | None:
    digests = mapping(about, "files")
    if any(_digest_of_file(place / name) != text(digests, name) for name in (PIXELS, PICTURES)):
        return None
    skipped = {whole(found, i) for found in [sequence(about, "skipped")] for i in range(len(found))}
    rows = [i for i in range(len(wanted.paths)) if i not in skipped]
    size = tuple(whole(sequence(about, "size"), i, 1) for i in range(3))
    pictures = read_bytes(place / PICTURES)
    bytes_of_pixels = (place / PIXELS).stat().st_size
    if (bytes_of_pixels, len(pictures)) != (len(rows) * prod(size), len(rows) * SIZE):
        return None
    return Images(
        _in_memory_if_it_fits(
            RowFile(
                Stored(open_regular(place / PIXELS), Form(size), str(place / PIXELS)), len(rows)
            )
        ),
        [wanted.paths[i] for i in rows],
        wanted.digests.some(np.array(rows, np.int64)),
        Digests(pictures),
        [wanted.paths[i] for i in sorted(skipped)],
        *(whole(about, name, 0) for name in _COUNTS),
    )


def _in_memory_if_it_fits(pixels: RowFile) -> PixelArray:
    """For images that are gray, where there was to be room for colour, or of a smaller run."""
    array = in_memory(pixels.shape)
    if array is None:
        return pixels
    done = 0
    for some in in_chunks(pixels):
        array[done : done + len(some)] = some
        done += len(some)
    return array


def _digest_of_file(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while data := file.read(CHUNK):
            digest.update(data)
    return digest.hexdigest()
