"""PNG files: written many at once, and read with the checks that Pillow makes only in part.

Pillow writes one image at a time through layers that take several times as long as the compression
of a small image. What is written here is as small and reads back to the same pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _RGB, _GRAY_ALPHA = 0, 2, 4  # colour types
HEADER = 26  # bytes of a file, up to its colour type
# Bytes of images whose filters are tried at once; twenty times that in memory, still in the cache.
_AT_ONCE = 1 << 17
_AROUND = 12  # bytes of a chunk beside its content: length, kind, checksum


def check_chunks(data: bytes) -> None:
    """Raise ValueError unless every chunk up to the last is there and has its checksum."""
    view, start = memoryview(data), len(SIGNATURE)
    while start + _AROUND <= len(data):
        length = int.from_bytes(view[start : start + 4], "big")
        kind, end = bytes(view[start + 4 : start + 8]), start + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError(f"damaged: wrong checksum of its {kind.decode('latin-1')!r} chunk")
        if kind == b"IEND":
            return
        start = end + 4
    raise ValueError("truncated: its last chunk is missing")


def is_gray(data: bytes) -> bool:
    """Whether a file, or its first `HEADER` bytes, is of gray values, with or without alpha."""
    return len(data) >= HEADER and data[HEADER - 1] in (_GRAY, _GRAY_ALPHA)


def encoded(images: NDArray[np.uint8]) -> Iterator[bytes]:
    """(n, c, h, w), gray or RGB -> the files, one per image."""
    n, channels, height, width = images.shape
    form = struct.pack(">IIBBBBB", width, height, 8, _GRAY if channels == 1 else _RGB, 0, 0, 0)
    start, end = SIGNATURE + _chunk(b"IHDR", form), _chunk(b"IEND", b"")
    step = max(1, _AT_ONCE // images[0].size) if n else 1
    for first in range(0, n, step):
        for lines in _filtered(images[first : first + step]):
            deflate = zlib.compressobj(strategy=zlib.Z_FILTERED)
            yield start + _chunk(b"IDAT", deflate.compress(lines) + deflate.flush()) + end


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _filtered(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, c, h, w) -> (n, h, 1 + w c): each row by the filter that leaves least, and its number.

    The sum of absolute differences is what the specification recommends to choose by (PNG, 12.7).
    """
    n, channels, height, width = images.shape
    rows = np.zeros((n, height + 1, channels + width * channels), np.uint8)  # a zero pixel around
    rows[:, 1:, channels:] = images.transpose(0, 2, 3, 1).reshape(n, height, -1)
    here, left = rows[:, 1:, channels:], rows[:, 1:, :-channels]
    above, corner = rows[:, :-1, channels:], rows[:, :-1, :-channels]
    mean = ((left.astype(np.uint16) + above) // 2).astype(np.uint8)
    guesses = [np.zeros_like(here), left, above, mean, _paeth(left, above, corner)]
    lines = np.stack([here - guess for guess in guesses])  # modulo 256, by filter
    cost = np.minimum(lines, 0 - lines).sum(-1, dtype=np.int64)
    best = cost.argmin(0)
    chosen = np.take_along_axis(lines, best[None, ..., None], 0)[0]
    return np.concatenate([best[..., None].astype(np.uint8), chosen], -1)


def _paeth(
    left: NDArray[np.uint8], above: NDArray[np.uint8], corner: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Of the three neighbors, the one closest to left + above - corner (PNG, 9.4)."""
    a, b, c = (side.astype(np.int16) for side in (left, above, corner))
    from_a, from_b, from_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    closest = np.where(from_b <= from_c, above, corner)
    return np.where((from_a <= from_b) & (from_a <= from_c), left, closest)
