from __future__ import annotations

import numpy as np

from imbsynth.engine.training.moves import minority


def test_minority_classes_are_smaller_than_the_largest() -> None:
    sizes = np.array([10, 10, 9, 1])
    assert minority(sizes, 1.0).tolist() == [False, False, True, True]
    assert minority(sizes, 0.5).tolist() == [False, False, False, True]
