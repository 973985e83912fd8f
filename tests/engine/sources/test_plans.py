from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.engine.sources.plans import Plan, batched


def piece(start: int, rows: int) -> Plan:
    numbers = np.arange(start, start + rows)
    return Plan(numbers, numbers, numbers / 1e6, numbers % 3, numbers)


@given(lengths=st.lists(st.integers(1, 40)), size=st.integers(1, 25))
def test_batches_hold_the_same_rows_in_the_same_order(lengths: list[int], size: int) -> None:
    starts = np.cumsum([0, *lengths]).tolist()
    pieces = [piece(start, rows) for start, rows in zip(starts, lengths, strict=False)]
    batches = list(batched(pieces, size))
    assert all(len(batch.lam) == size for batch in batches[:-1])
    assert all(1 <= len(batch.lam) <= size for batch in batches)
    rows = [number for batch in batches for number in batch.number.tolist()]
    assert rows == list(range(sum(lengths)))


def test_files_are_named_by_class_and_number() -> None:
    plan = piece(7, 2)
    assert plan.file(0, ["a", "b b", "c"]) == "b b/synthetic-000007.png"
    assert plan.file(1, ["a", "b b", "c"]) == "c/synthetic-000008.png"
