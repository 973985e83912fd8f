"""What the store tests share: files made byte by byte and arrays of noise."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imbsynth.store.png_writers import write_pngs


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_bytes(
    width: int, height: int, *, bits: int, colour: int, rows: bytes, extra: bytes = b""
) -> bytes:
    """A PNG file; `rows` are its scan lines with their filter bytes, `extra` more chunks."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def tiff_bytes(width: int, height: int, *, bits: int, kind: int, pixels: bytes) -> bytes:
    """An uncompressed gray TIFF file; `kind` is 1 for unsigned, 2 for signed, 3 for float."""
    pixels += b"\0" * (len(pixels) % 2)
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    tags |= {279: len(pixels), 339: kind}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    directory = struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + directory


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    """A (c, h, w) image that no codec can make smaller."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def put(root: Path, path: str, pixels: NDArray[np.uint8]) -> str:
    """Write a (c, h, w) image as PNG at root/path; returns the path."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    write_pngs(pixels[None], [root / path])
    return path
