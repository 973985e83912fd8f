from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import ExperimentConfig
from imbsynth.engine import experiment
from imbsynth.engine.events import Event, Note
from imbsynth.engine.experiments.effort import EFFORTS, LADDER, ExperimentPlan, recorded_plan
from imbsynth.engine.experiments.expected_time import Cost, Speed
from imbsynth.engine.experiments.folder_protocol import Ground, ground_of
from imbsynth.engine.experiments.kept_protocol import kept_plan
from imbsynth.engine.experiments.time_limits import USABLE, all_seconds, choice, plan_within
from imbsynth.errors import UserError
from imbsynth.store.folders import scan
from tests.conftest import MakeFolder

METHODS = ["plain", "copies", "strong", "strong + AOS", "strong + DeepSMOTE"]
# 2 s per training whatever its length, and a millisecond per image; 0.1 s per autoencoder epoch.
SPEED = Speed(dict.fromkeys(METHODS, Cost(2.0, 0.0, 0.001)), 0.1, 2 / 3)


@pytest.fixture
def ground(make_folder: MakeFolder) -> Ground:
    src = make_folder({"a": 300, "b": 6})
    return ground_of(scan(src), ExperimentConfig(on=src, out=src.parent / "out"))


def test_the_seconds_of_a_plan_by_hand(ground: Ground) -> None:
    """Three folds of five trainings, 8 s each, and of 65 epochs of the autoencoder."""
    small = ExperimentPlan(EFFORTS["small"], METHODS)
    assert ground.protocol(small).methods["plain"].train["images_per_epoch"] == 600
    expected = 3 * (5 * (2 + 10 * 600 * 0.001) + 65 * 0.1)
    assert all_seconds(ground, small, SPEED) == pytest.approx(expected)


def test_the_most_effort_that_fits_is_taken(ground: Ground) -> None:
    for effort in LADDER:
        needed = all_seconds(ground, ExperimentPlan(effort, METHODS), SPEED) / USABLE
        assert plan_within(int(needed) + 1, 0, ground, METHODS, SPEED) == ExperimentPlan(
            effort, METHODS
        )


def test_time_that_was_spent_on_measuring_is_not_there_any_more(ground: Ground) -> None:
    needed = int(all_seconds(ground, ExperimentPlan(EFFORTS["small"], METHODS), SPEED) / USABLE) + 1
    assert plan_within(needed, 0, ground, METHODS, SPEED).effort == EFFORTS["small"]
    assert plan_within(needed, 20, ground, METHODS, SPEED).effort < EFFORTS["small"]


def test_the_method_that_takes_longest_is_left_out_first(ground: Ground) -> None:
    needed = all_seconds(ground, ExperimentPlan(LADDER[0], METHODS), SPEED)
    limit = int(0.8 * needed / USABLE)
    plan = plan_within(limit, 0, ground, METHODS, SPEED)
    assert plan.methods == [name for name in METHODS if name != "strong + DeepSMOTE"]
    assert choice(ground, plan, METHODS, limit).endswith(
        "left out, as they take longest: strong + DeepSMOTE"
    )


def test_what_others_are_compared_with_is_not_left_out_before_them(ground: Ground) -> None:
    methods = ["plain", "strong", "strong + AOS"]
    slow = Speed({**SPEED.costs, "strong": Cost(50, 0, 0.001)}, 0.0, 2 / 3)
    limit = int((all_seconds(ground, ExperimentPlan(LADDER[0], methods[:2]), slow) + 1) / USABLE)
    assert plan_within(limit, 0, ground, methods, slow).methods == ["plain", "strong"]


def test_of_methods_that_take_about_as_long_the_last_is_left_out(ground: Ground) -> None:
    """Here the two that are left are the first two, though copies were measured as the slowest."""
    methods = ["plain", "copies", "plain + affine", "copies + affine"]
    measured = zip(methods, [2.0, 2.3, 2.2, 2.1], strict=True)
    speed = Speed({name: Cost(start, 0.0, 0.001) for name, start in measured}, 0.0, 2 / 3)
    needed = all_seconds(ground, ExperimentPlan(LADDER[0], ["plain", "copies"]), speed)
    plan = plan_within(int(needed / USABLE) + 1, 0, ground, methods, speed)
    assert plan.methods == ["plain", "copies"]


def test_a_limit_that_is_too_short_names_the_least(ground: Ground) -> None:
    with pytest.raises(UserError, match=r"time 5s is too short: plain, \w+ alone take") as caught:
        plan_within(5, 3, ground, METHODS, SPEED)
    least = int(caught.value.fix.split()[2].removesuffix("s"))
    slower = Speed(dict.fromkeys(METHODS, Cost(2.1, 0.0, 0.00105)), 0.1, 2 / 3)
    assert len(plan_within(least, 3, ground, METHODS, slower).methods) == 2  # measured once more
    with pytest.raises(UserError, match="too short"):
        plan_within(int(0.9 * least), 3, ground, METHODS, SPEED)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"time": "30"}, r"time is '30'\n.*give a number of seconds, or a text such as 90s"),
        ({"time": "0m"}, "time is '0m'"),
        ({"time": 0}, "time is 0"),
        ({"time": "1h", "budget": "large"}, "time and budget are both given"),
        ({"methods": ("AOS", "best")}, r"methods is (?s:.*)give some of plain, copies"),
        ({"methods": ("plain",)}, "methods is plain alone"),
        ({"on": None, "protocol": Path("p"), "data": Path("d"), "time": 60}, "time goes with on"),
    ],
)
def test_wrong_limits_and_methods_are_named(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        ExperimentConfig(**{"on": Path("src"), "out": Path("out"), **given})


def test_a_time_is_seconds_whatever_its_unit() -> None:
    times = {"90s": 90, "30m": 1800, "2h": 7200, 45: 45}
    for given, seconds in times.items():
        config = ExperimentConfig(on=Path("src"), out=Path("out"), time=given)  # type: ignore[arg-type]
        assert config.time == seconds


def test_what_is_chosen_for_a_time_is_kept(make_folder: MakeFolder) -> None:
    """The next process takes it over without measuring; another time is chosen for anew."""
    src = make_folder({"a": 12, "b": 6})
    told: list[Event] = []
    config = ExperimentConfig(
        on=src,
        out=src.parent / "out",
        device="cpu",
        time=1000,
        methods=("copies",),
        shard=(99, 99),  # no trial: there are fewer
    )
    experiment.run(config, on_event=told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert notes[0] == "timing a short trial of each method"
    assert notes[1].startswith("1000s is enough for 2 methods in ")
    kept = json.loads((config.out / "protocol.json").read_text())
    assert kept["plan"]["methods"] == ["plain", "copies"]
    assert kept["asked"]["time"] == "1000s"

    kept["plan"]["epochs"] = kept["plan"]["epochs"] + 1  # as if another machine had chosen
    (config.out / "protocol.json").write_text(json.dumps(kept))
    told.clear()
    trials = experiment.run(replace(config, dry_run=True), on_event=told.append).trials
    assert len(trials) == 2 * kept["plan"]["folds"]
    assert not any("timing" in event.text for event in told if isinstance(event, Note))
    assert kept_plan(config) == recorded_plan(kept)
    assert kept_plan(replace(config, time=2000)) is None
    assert kept_plan(replace(config, methods=("strong",))) is None
