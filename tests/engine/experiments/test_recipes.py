from __future__ import annotations

from typing import Any

import pytest

from imbsynth.engine.experiments.recipes import difference, modern

AE: dict[str, Any] = {"epochs": 3}


def test_images_decoded_before_there_was_a_choice_were_decoded_plainly() -> None:
    found = modern({"train_ae": AE, "generate": {"method": "smote"}, "aos_train": {}})
    assert found["generate"]["decode"] == "plain"


@pytest.mark.parametrize("decode", ["plain", "residual"])
def test_a_choice_of_decoding_stays(decode: str) -> None:
    found = modern({"train_ae": AE, "generate": {"decode": decode}})
    assert found["generate"]["decode"] == decode


def test_a_former_default_means_nothing_where_nothing_is_decoded() -> None:
    """So the results of an older version are taken up."""
    command = {"generate": {"method": "smote"}, "aos_train": {"oversample": "ros"}}
    former = {name: {**options, "decode": "plain"} for name, options in command.items()}
    assert modern({"train_ae": None, **former}) == modern({"train_ae": None, **command})


def test_a_difference_is_one_line_whatever_the_file_says() -> None:
    assert difference({"fit": "a\nb"}, {"fit": "pad"}) == r"with fit a\nb, not pad"
