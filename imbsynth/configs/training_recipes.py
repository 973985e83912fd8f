"""Sets of options of `aos-train` with a name: the only place of what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar

C = TypeVar("C")


class TrainingRecipe(NamedTuple):
    """Options that go well together."""

    help: str  # a few words, which follow the name in the help of the option
    options: Mapping[str, Any]  # by field; all others have their defaults


RECIPES = {
    "default": TrainingRecipe("the defaults", {}),
    "paper": TrainingRecipe(
        "as the paper on AOS trains: images are not changed, the learning rate stays as it is",
        {"oversample": "aos", "augment": "none", "schedule": "constant"},
    ),
    "plain": TrainingRecipe("the images as they are", {"oversample": "none", "augment": "none"}),
    "strong": TrainingRecipe(
        "balanced softmax, mixup, flips and crops, SGD with warm-up, and averaged weights; for "
        "photographs",
        {
            "oversample": "none",
            "loss": "balanced-softmax",
            "augment": "flip-crop",
            "mix": "mixup",
            "optimizer": "sgd",
            "lr": 0.1,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "warm_up": 0.05,
            "schedule": "cosine",
            "ema": 0.999,
        },
    ),
}


_OF_THE_OPTIMIZER = ("lr", "momentum", "weight_decay")


def options_of(
    recipe: str, optimizer: str | None = None, *, freeze: bool = False
) -> dict[str, Any]:
    """What a recipe stands for, by field; nothing for one that there is not.

    optimizer: the one that is used. The recipe's learning rate and what goes with it are not for
    another than its own. freeze: whether the backbone is frozen, so that images are neither moved
    nor mixed.
    """
    options = dict(RECIPES[recipe].options) if recipe in RECIPES else {}
    if optimizer is not None and optimizer != options.get("optimizer", optimizer):
        options = {name: v for name, v in options.items() if name not in _OF_THE_OPTIMIZER}
    return {"oversample": "ros", **options, "mix": "none"} if freeze else options


def with_recipe(config: type[C]) -> type[C]:
    """The config class, made so that a recipe gives the fields that are not given.

    The config has the resulting values: recorded, copied and read back, it stays the same even if
    the recipe changes.
    """
    made = config.__init__

    @wraps(made)
    def init(self: C, **given: Any) -> None:
        recipe, optimizer = given.get("recipe", "default"), given.get("optimizer")
        options = options_of(recipe, optimizer, freeze=given.get("freeze") is True)
        made(self, **{**options, **given})  # the check refuses an unknown recipe

    config.__init__ = init  # type: ignore[assignment, method-assign]
    return config
