from __future__ import annotations

import pytest

from imbsynth.store.png import check_chunks
from tests.store.conftest import chunk, png_bytes

PNG = png_bytes(2, 1, bits=8, colour=0, rows=b"\0\x07\xff", extra=chunk(b"tEXt", b"a\0b"))


def test_a_whole_file_passes_with_or_without_more_behind_it() -> None:
    check_chunks(PNG)
    check_chunks(PNG + b"more")


def test_a_file_cut_anywhere_is_truncated() -> None:
    for length in range(8, len(PNG)):
        with pytest.raises(ValueError, match="truncated: its last chunk is missing"):
            check_chunks(PNG[:length])


def test_any_bit_flipped_behind_the_signature_is_seen() -> None:
    for position in range(8, len(PNG)):
        damaged = bytearray(PNG)
        damaged[position] ^= 1
        with pytest.raises(ValueError, match=r"truncated|wrong checksum of its"):
            check_chunks(bytes(damaged))
