from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows
from imbsynth.engine.sources.rendering import render
from imbsynth.engine.sources.source import MethodRecord


class Counting:
    """A source whose images hold their class and row."""

    method_record = MethodRecord("counting")

    def __init__(self, rows_at_once: int) -> None:
        self.rows_at_once = rows_at_once

    def plan(self, label: int, rows: Rows) -> Plan:
        return Plan(rows, np.empty((len(rows), 0), np.int64), np.empty((len(rows), 0)))

    def images(self, label: int, plan: Plan) -> Tensor:
        return torch.from_numpy(10 * label + plan.rows).reshape(-1, 1, 1, 1)


@given(added=st.lists(st.integers(0, 30), max_size=5), size=st.integers(1, 12))
def test_every_row_comes_once_and_in_its_place_of_a_batch(added: list[int], size: int) -> None:
    batches = list(render(Counting(size), added))
    rows = [(batch.label, row) for batch in batches for row in batch.plan.rows.tolist()]
    assert rows == [(label, row) for label, count in enumerate(added) for row in range(count)]
    for batch in batches:
        assert batch.plan.rows[0] % size == 0
        assert len(batch.pixels) <= size
        assert batch.pixels.ravel().tolist() == (10 * batch.label + batch.plan.rows).tolist()
