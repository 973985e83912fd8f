"""Sets of options of `aos-train` with a name: the only place of what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar

C = TypeVar("C")


class Recipe(NamedTuple):
    """Options that go well together."""

    help: str  # a few words, which follow the name in the help of the option
    options: Mapping[str, Any]  # by field; all others have their defaults


RECIPES = {
    "paper": Recipe("the defaults: AOS as its paper has it", {}),
    "plain": Recipe("the images as they are", {"oversample": "none", "augment": "none"}),
    "strong": Recipe(
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


def with_recipe(config: type[C]) -> type[C]:
    """The config class, made so that a recipe gives the fields that are not given.

    The config has the resulting values: recorded, copied and read back, it stays the same even if
    the recipe changes.
    """
    made = config.__init__

    @wraps(made)
    def init(self: C, **given: Any) -> None:
        recipe = RECIPES.get(given.get("recipe", "paper"))
        made(self, **{**(recipe.options if recipe else {}), **given})  # the check refuses others

    config.__init__ = init  # type: ignore[assignment, method-assign]
    return config
