from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imbsynth.configs import AosTrainConfig
from imbsynth.configs.training_recipes import RECIPES
from imbsynth.engine.experiments.protocol_options import checked, resolved
from imbsynth.errors import UserError
from imbsynth.options import recorded, recorded_defaults

SRC, OUT = Path("s"), Path("o.safetensors")


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_gives_what_is_not_given(name: str) -> None:
    found = recorded(AosTrainConfig(src=SRC, out=OUT, recipe=name, epochs=3))
    expected = {**recorded_defaults(AosTrainConfig), **RECIPES[name].options, "recipe": name}
    assert found == {**expected, "epochs": 3, "src": SRC, "out": OUT}


def test_what_is_given_wins_even_if_it_is_the_default() -> None:
    config = AosTrainConfig(src=SRC, out=OUT, recipe="strong", optimizer="adam", lr=1e-3)
    assert (config.optimizer, config.lr, config.loss) == ("adam", 1e-3, "balanced-softmax")
    assert replace(config, out=Path("p.safetensors")).optimizer == "adam"


def test_another_optimizer_does_not_get_the_learning_rate_of_the_recipes_own() -> None:
    config = AosTrainConfig(src=SRC, out=OUT, recipe="strong", optimizer="adam")
    assert (config.lr, config.weight_decay, config.loss) == (1e-3, 0.0, "balanced-softmax")
    same = AosTrainConfig(src=SRC, out=OUT, recipe="strong", optimizer="sgd")
    assert (same.lr, same.weight_decay) == (0.1, 5e-4)


def test_a_protocol_records_what_a_recipe_comes_to() -> None:
    options = checked(AosTrainConfig, {"recipe": "strong", "mix": "none"}, "train")
    found = resolved(AosTrainConfig, options)
    assert (found["mix"], found["loss"], found["oversample"]) == (
        "none",
        "balanced-softmax",
        "none",
    )


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UserError, match="give one of default, paper, plain, strong"):
        AosTrainConfig(src=SRC, out=OUT, recipe="secret")


def test_only_losses_that_favour_rare_classes_are_deferred() -> None:
    AosTrainConfig(src=SRC, out=OUT, loss="ldam", defer=0.2)
    with pytest.raises(UserError, match="one of class-balanced") as error:
        AosTrainConfig(src=SRC, out=OUT, loss="focal", defer=0.2)
    assert "ldam" in str(error.value)
