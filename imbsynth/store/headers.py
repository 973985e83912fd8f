"""Image sizes from the headers of files: a tenth of a millisecond each, decoding takes many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from imbsynth.configs import Size, size_text, within
from imbsynth.errors import UserError, option
from imbsynth.store.decoding import header_size, quiet
from imbsynth.store.image_files import read_image_file

SAMPLED = 1000  # files, spread over the folder
QUICK = 128  # pixels: images up to this side are decoded about as fast as their headers are read


def sizes_of(root: Path, paths: Sequence[str], *, doubted: bool = False) -> Counter[Size]:
    """(height, width) in pixels, upright: files, by their headers alone.

    Of small images, only SAMPLED files are looked at. Files without a header that can be read do
    not count. doubted: of several sizes, only those of which a file can be decoded count, for what
    the header of a damaged file says may be wrong.
    """
    step = max(1, len(paths) // SAMPLED)
    with quiet():
        found = _by_size(root, paths[::step])
        if step > 1 and any(max(size) > QUICK for size in found):
            found = _by_size(root, paths)
        if doubted and len(found) > 1:
            found = {size: own for size, own in found.items() if _some_decoded(root, own)}
    return Counter({size: len(own) for size, own in found.items()})


def _by_size(root: Path, paths: Sequence[str]) -> dict[Size, list[str]]:
    found: dict[Size, list[str]] = {}
    for path in paths:
        size = header_size(root / path)
        if size is not None:
            found.setdefault(size, []).append(path)
    return found


def _some_decoded(root: Path, paths: Sequence[str]) -> bool:
    """Whether one of the files can be decoded; usually the first can."""
    return any(read_image_file(root / path).picture is not None for path in paths)


def mixed_sizes(where: str, sizes: Counter[Size], longest: int | None = None) -> UserError:
    """The error for images of several sizes; advises one of at most `longest` pixels per side."""
    found = ", ".join(f"{size_text(size)} ({n})" for size, n in sizes.most_common(5))
    more = ", ..." if len(sizes) > 5 else ""
    advised = sizes.most_common(1)[0][0]
    if longest is not None:
        advised = within(advised, longest)
    size = option("image_size")
    return UserError(
        f"{where}: images of {len(sizes)} sizes: {found}{more}",
        f"choose one with {size}, e.g. {size} {size_text(advised)}",
    )
