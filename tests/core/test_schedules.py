from __future__ import annotations

import pytest

from imbsynth.core.schedules import constant, cosine, step, warmed_up


def test_cosine_by_hand() -> None:
    assert [cosine(t) for t in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def test_constant_stays() -> None:
    assert [constant(t) for t in (0, 0.5, 1)] == [1, 1, 1]


def test_steps_by_hand() -> None:
    assert [step(t) for t in (0, 0.79, 0.8, 0.9, 1)] == pytest.approx([1, 1, 0.01, 1e-4, 1e-4])


def test_warm_up_rises_and_leaves_the_rest_to_the_schedule() -> None:
    warm = warmed_up(cosine, 0.2)
    assert [warm(t) for t in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert warmed_up(cosine, 0) is cosine
