"""The checks that a PNG file carries of itself, which Pillow makes only for some of its chunks."""

from __future__ import annotations

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
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
