"""How much work a cross-validation is: which methods, how many folds, how long a training."""

from __future__ import annotations

from typing import Any, NamedTuple

from imbsynth.configs import Budget, ExperimentConfig
from imbsynth.configs.contenders import CONTENDERS, USUAL, with_bases
from imbsynth.store.fields import Wrong, finite, mapping, texts, whole


class Effort(NamedTuple):
    """How long each method is trained, and in how many folds."""

    folds: int
    epochs: int
    most_images: int  # per epoch
    ae_epochs: int
    ae_share: float = 1.0  # of what an autoencoder sees at least


EFFORTS: dict[Budget, Effort] = {
    "small": Effort(3, 10, 5_000, 30),
    "medium": Effort(5, 20, 20_000, 100),
    "large": Effort(5, 50, 50_000, 200),
}
# What a limit of time is filled with, the least work first.
LADDER = [
    Effort(3, 5, 2_500, 15, 0.5),
    Effort(3, 7, 3_500, 20, 0.7),
    EFFORTS["small"],
    Effort(3, 14, 8_000, 45),
    Effort(5, 14, 8_000, 45),
    EFFORTS["medium"],
    Effort(5, 32, 32_000, 140),
    EFFORTS["large"],
]


class ExperimentPlan(NamedTuple):
    """What is done on a folder."""

    effort: Effort
    methods: list[str]  # each after what it is compared with

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self.effort._asdict(), "methods": self.methods}


def plan_for_budget(config: ExperimentConfig) -> ExperimentPlan:
    """The plan where no limit of time is given."""
    return ExperimentPlan(EFFORTS[config.budget], asked_methods(config))


def asked_methods(config: ExperimentConfig) -> list[str]:
    """The methods to compare, if time allows."""
    return with_bases(config.methods or USUAL)


def recorded_plan(protocol: dict[str, Any]) -> ExperimentPlan:
    """The plan in a protocol.json; Wrong if there is none."""
    found = mapping(protocol, "plan")
    methods = texts(found, "methods")
    if not methods or with_bases(methods) != methods or not set(methods) <= CONTENDERS.keys():
        raise Wrong("methods is not a list of methods that this version has")
    effort = Effort(
        folds=whole(found, "folds", 2),
        epochs=whole(found, "epochs", 1),
        most_images=whole(found, "most_images", 1),
        ae_epochs=whole(found, "ae_epochs", 1),
        ae_share=finite(found, "ae_share", 0, 1),
    )
    return ExperimentPlan(effort, methods)
