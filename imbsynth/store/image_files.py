"""What one image file holds, and a survey of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from imbsynth.configs import size_text
from imbsynth.store.decoding import Picture, Unreadable, decode, quiet
from imbsynth.store.folders import digest_of, read_bytes
from imbsynth.store.parallel import in_order, threads_for


class ImageFile(NamedTuple):
    """A file that was read, and decoded if possible."""

    digest: str  # SHA-256 of its bytes, hexadecimal; "" if they cannot be read
    picture: Picture | None
    problem: str  # why there is no picture; "" if there is one


def read_image_file(
    path: Path, size: tuple[int, int] | None = None, *, as_gray: bool = False
) -> ImageFile:
    """Read and decode one file; `size` (height, width) in pixels resizes."""
    try:
        data = read_bytes(path)
    except OSError as error:
        return ImageFile("", None, f"cannot be read: {error.strerror or error}")
    digest = digest_of(data)
    try:
        return ImageFile(digest, decode(data, size, as_gray=as_gray), "")
    except Unreadable as error:
        return ImageFile(digest, None, str(error))


class Survey(NamedTuple):
    """What a file holds, without its pixels."""

    path: str
    digest: str  # SHA-256 of its bytes, hexadecimal; "" if they cannot be read
    size: str  # "HxW" of the upright image, pixels; "" if unreadable
    mode: str  # Pillow's name for how it is stored; "" if unreadable
    alpha: bool  # whether it has transparency
    problem: str  # why it cannot be read; "" if it can


def survey_all(
    root: Path, paths: Sequence[str], *, cores: int, on_progress: Callable[[int], None]
) -> list[Survey]:
    """Read and decode every file, and say what is in it, in the order of the paths."""
    found: list[Survey] = []
    threads = threads_for(root, paths, cores)
    with quiet():
        for one in in_order(lambda path: _survey(root, path), paths, threads=threads):
            found.append(one)
            on_progress(len(found))
    return found


def _survey(root: Path, path: str) -> Survey:
    digest, picture, problem = read_image_file(root / path)
    if picture is None:
        return Survey(path, digest, "", "", False, problem)
    return Survey(path, digest, size_text(picture.pixels.shape), picture.mode, picture.alpha, "")
