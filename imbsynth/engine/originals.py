"""Real images in, a new folder out: how `imbalance` and `split` begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.reading import scan_regular
from imbsynth.store.folders import ImageFolder
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
