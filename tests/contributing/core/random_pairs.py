"""Interpolation between random images of a class, whatever their distance."""

from __future__ import annotations

import numpy as np

from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.samplers import Draw, Population


def random_pairs(population: Population, label: int, rng: np.random.Generator) -> Draw:
    """x_new = x_1 + lam (x_2 - x_1), with x_1 and x_2 uniform in the class and lam in [0, 1).

    SMOTE without neighborhoods: what it is compared with to see what nearest neighbors add.
    """
    members = population.members[label]
    choices = RowStream(rng)

    def draw(rows: Rows) -> Plan:
        first, second, lam = choices.uniforms(rows, 3).T
        places = (np.stack([first, second], 1) * len(members)).astype(np.int64)
        return Plan(rows, members[places], np.stack([1 - lam, lam], 1))

    return draw
