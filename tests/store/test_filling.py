"""Rows are read as they were written, in memory and in a file, whatever their order and type."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from imbsynth.errors import UserError
from imbsynth.store import filling
from imbsynth.store.filling import FilledFile, SpillFile, buffer_for, named
from imbsynth.store.memory import limited, room
from imbsynth.store.row_files import Form

COUNT = 12
DTYPES = [np.uint8, np.int8, np.float16, np.float32]


@settings(deadline=None, max_examples=40)
@given(
    order=st.permutations(range(COUNT)),
    cut=st.integers(0, COUNT),
    dtype=st.sampled_from(DTYPES),
    limit=st.sampled_from([0, 10**6]),
)
def test_rows_are_read_as_they_were_written(
    order: list[int], cut: int, dtype: DTypeLike, limit: int
) -> None:
    values = np.random.default_rng(0).normal(0, 20, (COUNT, 3, 2)).astype(dtype)
    with limited(limit):
        rows = buffer_for(Form((3, 2), dtype), COUNT, "rows")
    assert isinstance(rows, FilledFile) == (limit == 0)
    for part in (np.array(order[:cut], int), np.array(order[cut:], int)):
        rows[part] = values[part]
    found = rows[np.array(order)]
    assert found.dtype == dtype
    assert np.array_equal(found, values[order])


def test_the_limit_is_in_bytes_whatever_the_type() -> None:
    with limited(4 * 10):
        assert isinstance(buffer_for(Form((1,), np.float32), 11, "rows"), FilledFile)
        held = buffer_for(Form((1,), np.float32), 10, "rows")
        assert isinstance(held, np.ndarray)
        assert room() == 0


def test_long_runs_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "CHUNK", 7)  # a size that rows are no multiple of
    values = np.arange(40, dtype=np.float32).reshape(8, 5)
    rows = FilledFile(Form((5,), np.float32), 8, named(tmp_path / "rows", "x"), "rows")
    rows[:] = values
    assert (tmp_path / "rows").read_bytes() == values.tobytes()


def test_rows_that_are_never_written_take_nothing(tmp_path: Path) -> None:
    rows = FilledFile(Form((1 << 10,), np.float32), 1 << 20, named(tmp_path / "rows", "x"), "rows")
    rows[np.array([1000])] = np.ones((1, 1 << 10), np.float32)
    assert os.stat(tmp_path / "rows").st_blocks * 512 < 1 << 20
    assert (rows[1000] == 1).all()


def test_a_full_disk_says_what_takes_so_much(tmp_path: Path) -> None:
    def full() -> IO[bytes]:
        return open("/dev/full", "r+b", buffering=0)

    place = SpillFile(str(tmp_path), full, "free some space")
    rows = FilledFile(Form((25,), np.float32), 10**4, place, "latent vectors of 10000 images")
    with pytest.raises(UserError, match=r"of 10000 images take 1\.0 MB: more than memory") as error:
        rows[np.array([0])] = np.zeros((1, 25), np.float32)
    assert error.value.fix == "free some space"
