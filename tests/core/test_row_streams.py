from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imbsynth.core.row_streams import RowStream


def stream(seed: int = 0) -> RowStream:
    return RowStream(np.random.default_rng(seed))


@given(
    count=st.integers(1, 9),
    rows=st.lists(st.integers(0, 300), max_size=30),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None)
def test_a_row_gets_the_same_numbers_whichever_rows_are_asked_for(
    count: int, rows: list[int], seed: int
) -> None:
    whole = stream(seed).uniforms(np.arange(301), count)
    some = stream(seed).uniforms(np.array(rows, np.int64), count)
    assert np.array_equal(some, whole[rows])


def test_numbers_are_those_of_philox() -> None:
    """Row by row, the sequence that NumPy's own generator makes from the same key."""
    key = np.random.default_rng(5).integers(0, 2**64, size=2, dtype=np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key)).random(21)
    assert stream(5).uniforms(np.arange(7), 3).ravel().tolist() == expected.tolist()


def test_numbers_are_uniform_and_rows_are_independent() -> None:
    drawn = stream().uniforms(np.arange(20_000), 2)
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-6
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 5 / np.sqrt(20_000)


def test_normal_numbers() -> None:
    drawn = stream().normals(np.arange(5_000), 4)
    assert np.isfinite(drawn).all()
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-6


def test_a_rows_own_generator_shares_no_numbers_with_another() -> None:
    first, again, other = (stream().generator(row).random(50) for row in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert not set(first) & set(other)
    assert not set(first) & set(stream().uniforms(np.arange(100), 4).ravel())


def test_rows_far_out_are_as_quick_as_the_first() -> None:
    assert stream().uniforms(np.array([10**15]), 3).shape == (1, 3)
