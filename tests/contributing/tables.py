"""Entries of the examples, as they would be added to imbsynth/core/tables.py."""

from __future__ import annotations

from imbsynth.core.tables import Entry, table

SAMPLERS = table(
    Entry(
        "random-pairs",
        "tests.contributing.core.random_pairs:random_pairs",
        "between random images of a class",
    ),
)

LOSSES = table(
    Entry(
        "label-smoothing",
        "tests.contributing.core.label_smoothing:label_smoothing",
        "targets are softened by a tenth",
        "Szegedy et al., 2016",
    ),
)

ATTACKS = table(
    Entry(
        "random-signs",
        "tests.contributing.core.random_signs:random_signs",
        "as far as fgsm, in a random direction",
        options=("epsilon",),
    ),
)
