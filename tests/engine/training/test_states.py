from __future__ import annotations

import pytest

from imbsynth.engine.training.states import Place


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(3, 0, 3, 7), "3 of 3 epochs"),
        (Place(0, 1, 1, 4), "0 of 1 epoch and 1 of 4 steps"),
    ],
)
def test_how_far_a_run_is_in_words(place: Place, words: str) -> None:
    assert place.words == words
