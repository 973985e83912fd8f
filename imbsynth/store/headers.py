"""Image sizes from the headers of files: a tenth of a millisecond each, decoding takes many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from imbsynth.configs import Size, size_text, within
from imbsynth.errors import UserError, option
from imbsynth.store.decoding import header_size, quiet

SAMPLED = 1000  # files, spread over the folder
QUICK = 128  # pixels: images up to this side are decoded about as fast as their headers are read


def sizes_of(root: Path, paths: Sequence[str]) -> Counter[Size]:
    """(height, width) in pixels, upright: files, by their headers alone.

    Of small images, only SAMPLED files are looked at. Files without a header that can be read do
    not count.
    """
    step = max(1, len(paths) // SAMPLED)
    with quiet():
        found = _sizes(root, paths[::step])
        if step > 1 and any(max(size) > QUICK for size in found):
            found = _sizes(root, paths)
    return found


def _sizes(root: Path, paths: Sequence[str]) -> Counter[Size]:
    sizes = (header_size(root / path) for path in paths)
    return Counter(size for size in sizes if size is not None)


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
