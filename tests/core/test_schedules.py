from __future__ import annotations

import pytest

from imbsynth.core.schedules import constant, cosine


def test_cosine_by_hand() -> None:
    assert [cosine(t) for t in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def test_constant_stays() -> None:
    assert [constant(t) for t in (0, 0.5, 1)] == [1, 1, 1]
