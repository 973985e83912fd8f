"""Image files in the formats of other programs, encoded by threads beside the caller's work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imbsynth.errors import UserError, option

# Pillow's name for each format, and how it is written: without loss where that is possible.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    "webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {"compression": "tiff_deflate"}),
    "bmp": ("BMP", {}),
}
AHEAD = 4  # files per thread that wait to be written

Write = Callable[[NDArray[np.uint8], Path], None]


@contextmanager
def image_writers(form: str, *, threads: int) -> Iterator[Write]:
    """A function that writes (h, w) gray or (h, w, 3) colour pixels; the folder must be there.

    It returns before the file is there: all are when the block ends well. An error, OSError as a
    rule, comes from a later call or at the end of the block. Raises UserError for a format that the
    installed Pillow does not write.
    """
    name, options = FORMATS[form]
    Image.init()
    if name not in Image.SAVE:
        raise UserError(
            f"{option('format')} {form}: the installed Pillow does not write it",
            "choose png, or install Pillow with that format",
        )
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(threads) as pool:

        def write(pixels: NDArray[np.uint8], path: Path) -> None:
            waiting.append(pool.submit(_save, pixels, path, name, options))
            if len(waiting) > threads * AHEAD:
                waiting.popleft().result()

        try:
            yield write
            for file in waiting:
                file.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _save(pixels: NDArray[np.uint8], path: Path, name: str, options: dict[str, Any]) -> None:
    Image.fromarray(pixels).save(path, name, **options)
