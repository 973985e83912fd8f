"""The most work that fits a limit of time."""

from __future__ import annotations

import math

from imbsynth.configs.contenders import base_of
from imbsynth.configs.experiment_values import time_text
from imbsynth.engine.events import duration
from imbsynth.engine.experiments.effort import LADDER, ExperimentPlan
from imbsynth.engine.experiments.expected_time import Speed
from imbsynth.engine.experiments.folder_protocol import Ground
from imbsynth.errors import UserError, option
from imbsynth.store.names import listing

USABLE = 0.85  # of the limit; the rest is for what an estimate misses
SLACK = 1.1  # of a limit that is advised: what was measured will be measured again
FEWEST = 2  # methods
ALIKE = 0.8  # of the time of the slowest: such methods take about as long


def all_seconds(ground: Ground, plan: ExperimentPlan, speed: Speed) -> float:
    """About how long a plan takes, if no method is stopped."""
    protocol = ground.protocol(plan)
    return sum(speed.seconds(protocol).values()) * len(protocol.seeds)


def plan_within(
    limit: int, spent: float, ground: Ground, methods: list[str], speed: Speed
) -> ExperimentPlan:
    """The plan for a limit in seconds, of which some are spent; UserError if none fits.

    As many methods as possible, at the least effort if need be: where all do not fit, the one that
    takes longest is left out first, and of those that take about as long the last of `methods`.
    Then as much effort as possible.
    """
    usable = USABLE * limit - spent
    while True:
        for effort in reversed(LADDER):
            plan = ExperimentPlan(effort, methods)
            if all_seconds(ground, plan, speed) <= usable:
                return plan
        if len(methods) <= FEWEST:
            break
        methods = _without_slowest(ground, methods, speed)
    least = math.ceil(SLACK * (all_seconds(ground, plan, speed) + spent) / USABLE)
    least = least if least < 120 else 60 * math.ceil(least / 60)
    raise UserError(
        f"{option('time')} {time_text(limit)} is too short: {listing(methods)} alone take "
        f"{duration(all_seconds(ground, plan, speed))}, after {duration(spent)} of measuring",
        f"give {option('time')} {time_text(least)} or more",
    )


def _without_slowest(ground: Ground, methods: list[str], speed: Speed) -> list[str]:
    """All but the method that takes longest of those that no other is compared with."""
    seconds = speed.seconds(ground.protocol(ExperimentPlan(LADDER[0], methods)))
    bases = {base_of(method) for method in methods}
    spare = [method for method in methods if method not in bases]
    longest = max(seconds[method] for method in spare)
    # Measured times of equal methods differ by chance, which is not to choose between them.
    slowest = [method for method in spare if seconds[method] >= ALIKE * longest][-1]
    return [method for method in methods if method != slowest]


def choice(ground: Ground, plan: ExperimentPlan, wanted: list[str], limit: int) -> str:
    """What was chosen and why, in a sentence."""
    protocol = ground.protocol(plan)
    train = protocol.methods[plan.methods[0]].train
    text = (
        f"{time_text(limit)} is enough for {len(plan.methods)} methods in {len(protocol.seeds)} "
        f"folds, {train['epochs']} epochs of {train['images_per_epoch']:,} images each"
    )
    left = [method for method in wanted if method not in plan.methods]
    return f"{text}; left out, as they take longest: {listing(left)}" if left else text
