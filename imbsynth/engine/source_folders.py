"""Folders of images as commands find them, with or without classes, to be taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder, scan_loose
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, new_folder


@contextmanager
def copying(
    src: Path, dst: Path, *, command: str, force: bool
) -> Iterator[tuple[ImageFolder, Path]]:
    """The images of `src`, and where to write what becomes `dst` at the end.

    Raises UserError if some of the images are synthetic, or either folder cannot be used.
    """
    check_apart(src, dst)
    refuse_synthetic(src)
    with new_folder(dst, command=command, force=force) as part:
        yield scan_regular(src), part


def loose_images(folder: Path) -> list[str]:
    """The images of a folder and below it, with or without classes, as sorted relative paths.

    Raises UserError if there are none, or if a name stands for no regular file.
    """
    found = scan_loose(folder)
    if found.irregular:
        raise UserError(
            f"{folder}: not regular files: {listing(found.irregular)}",
            "remove them: pipes and dangling links cannot be read as images",
        )
    if not found.paths:
        raise UserError(
            f"{folder}: no images in this folder or below it",
            "give a folder of images, or image files",
        )
    return found.paths
