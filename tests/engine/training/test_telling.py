from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbsynth.configs import AosTrainConfig
from imbsynth.engine.events import Event, Note
from imbsynth.engine.training.telling import tell_of_balance, tell_of_chance


def told(sizes: list[int], **options: Any) -> list[str]:
    heard: list[Event] = []
    config = AosTrainConfig(src=Path("src"), out=Path("clf.safetensors"), **options)
    members = {str(k): np.arange(n) for k, n in enumerate(sizes)}
    tell_of_balance(config, members, heard.append)
    return [event.text for event in heard if isinstance(event, Note)]


def test_where_no_image_would_be_moved_it_is_said() -> None:
    (text,) = told([9, 9, 9])
    assert text.startswith("aos moves no image")
    assert told([9, 9, 2]) == []
    assert told([9, 9, 9], oversample="none") == []


@pytest.mark.parametrize("oversample", ["ros", "rus"])
@pytest.mark.parametrize("loss", ["class-balanced", "balanced-softmax", "ldam"])
def test_balancing_twice_is_said(loss: str, oversample: str) -> None:
    (text,) = told([9, 2], loss=loss, oversample=oversample)
    assert text.startswith(f"the loss {loss} makes up for the sizes of the classes, and so does")
    assert told([9, 2], loss=loss, oversample="none") == []
    assert told([9, 2], loss="focal", oversample="ros") == []


def test_a_classifier_that_guesses_is_said_to_guess() -> None:
    heard: list[Event] = []
    tell_of_chance(0.12, 10, heard.append)
    tell_of_chance(0.2, 10, heard.append)
    tell_of_chance(0.6, 2, heard.append)
    (note,) = heard
    assert isinstance(note, Note)
    assert (
        "hardly better than guessing: its mean recall on the validation images is 0.120"
        in note.text
    )
