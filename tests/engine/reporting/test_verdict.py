from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import ExperimentConfig, ReportConfig
from imbsynth.configs.contenders import PLAIN
from imbsynth.engine import experiment
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.report import Report, run
from imbsynth.errors import UserError
from imbsynth.store.folders import scan
from imbsynth.store.records import RECALLS, read_json, write_json
from imbsynth.store.trials import PROTOCOL, TRIALS
from tests.conftest import MakeFolder
from tests.engine.experiments.written import protocol_for
from tests.engine.reporting.outputs import draw
from tests.pages.reading import Page, check_page

COUNTS = {"common": 90, "rare": 30}
FOLD = {"common": 30, "rare": 10}


def verdict_of(
    src: Path, right: dict[str, tuple[int, int]], **asked: object
) -> tuple[Report, Page]:
    """The report on an experiment in which methods get so many images of each fold right."""
    out, page = src.parent / "results", src.parent / "page.html"
    config = ExperimentConfig(on=src, out=out, device="cpu")
    workspace = Workspace(protocol_for(scan(src), config), src, out, "cpu")
    out.mkdir()
    record = {**workspace.protocol.record(), **({"asked": asked} if asked else {})}
    write_json(out / PROTOCOL, record)
    for trial in workspace.protocol.trials():
        found = right.get(trial.method, right[PLAIN])
        answers = [
            [label] * n + [1 - label] * (total - n)
            for label, (n, total) in enumerate(zip(found, FOLD.values(), strict=True))
        ]
        path = workspace.target(trial)
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = {"counts": {name: COUNTS[name] - FOLD[name] for name in COUNTS}}
        write_json(path, {"imbalanced_copy": copy, "tests": {"test": {"answers": answers}}})
    draw(out / RECALLS)
    report = run(ReportConfig(src=out, out=page, force=True))
    return report, check_page(page.read_text())


def test_a_method_that_helps_is_named_in_the_first_sentence(make_folder: MakeFolder) -> None:
    right = {PLAIN: (29, 1), "copies": (29, 9)}
    report, page = verdict_of(make_folder(COUNTS), right)
    assert report.problems == []
    assert report.best.startswith(
        "On this folder of 120 images, copies does best: it finds 93.3 % of the images of a class"
    )
    assert "That is clearly better than plain (+40.0 points" in report.best
    assert "copies helps" in page.words("li")
    assert page.words("th")[:4] == ["method", "ACSA", "gain", "verdict"]
    assert "recall of rare (30)" in page.words("th")
    assert page.tags("img")[0]["alt"].startswith("Recall of each class")
    (command,) = page.words("code")
    assert command.startswith("imbsynth aos-train photos --out winner.safetensors")
    assert "--oversample ros" in command


def test_the_commands_of_a_winner_with_an_autoencoder_are_three(make_folder: MakeFolder) -> None:
    right = {PLAIN: (29, 1), "strong + DeepSMOTE": (29, 9)}
    _, page = verdict_of(make_folder(COUNTS), right)
    lines = page.words("code")[0].splitlines()
    assert [line.split()[1] for line in lines] == ["train-ae", "generate", "aos-train"]
    assert "--ae ae.safetensors" in lines[1]
    assert lines[2].startswith("imbsynth aos-train balanced")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ((28, 5), "no method here did better"),
        ((29, 6), "Whether that is better than plain is not clear"),
    ],
)
def test_what_is_not_clear_is_said(
    make_folder: MakeFolder, other: tuple[int, int], said: str
) -> None:
    report, _ = verdict_of(make_folder(COUNTS), {PLAIN: (29, 5), "strong": other})
    assert said in report.best


def test_the_command_of_the_experiment_is_given_where_it_is_known(make_folder: MakeFolder) -> None:
    asked = {"on": "photos", "budget": "medium", "image_size": "auto"}
    _, page = verdict_of(make_folder(COUNTS), {PLAIN: (29, 5)}, **asked)
    assert "imbsynth experiment --out results --on photos --budget medium" in page.words("code")


def test_an_experiment_keeps_what_was_asked(make_folder: MakeFolder) -> None:
    src = make_folder(COUNTS)
    config = ExperimentConfig(on=src, out=src.parent / "out", shard=(25, 25), device="cpu")
    experiment.run(config)
    asked = {name: v for name, v in read_json(config.out / PROTOCOL)["asked"].items() if v}
    assert asked == {"on": "src", "budget": "small", "image_size": "auto", "fit": "squash"}


def edited(make_folder: MakeFolder, edit: Callable[[dict[str, Any]], object]) -> Path:
    """An experiment's folder with another protocol.json."""
    src = make_folder(COUNTS)
    verdict_of(src, {PLAIN: (29, 1), "copies": (29, 9)})
    place = src.parent / "results" / PROTOCOL
    found = read_json(place)
    edit(found)
    write_json(place, found)
    return place.parent


@pytest.mark.parametrize(
    "kept",
    [
        lambda method, fold: method != PLAIN,
        lambda method, fold: method == PLAIN,
        lambda method, fold: fold == "0",
        lambda method, fold: method == PLAIN or fold == "0",
        lambda method, fold: False,
    ],
    ids=["no base", "one method", "one fold", "not all folds", "none"],
)
def test_trials_that_make_no_comparison_are_a_problem_of_the_report(
    make_folder: MakeFolder, kept: Callable[[str, str], bool]
) -> None:
    def edit(found: dict[str, Any]) -> None:
        found[TRIALS] = [name for name in found[TRIALS] if kept(*name.split("/")[2:])]

    out = edited(make_folder, edit)
    with pytest.raises(UserError, match="no output of imbsynth"):
        run(ReportConfig(src=out, out=out.parent / "other.html"))


@pytest.mark.parametrize("name", ["src", "out", "no_such_option"])
def test_options_that_no_protocol_has_give_no_command(make_folder: MakeFolder, name: str) -> None:
    out = edited(make_folder, lambda found: found["methods"]["copies"]["train"].update({name: "x"}))
    report = run(ReportConfig(src=out, out=out.parent / "other.html"))
    assert [problem for problem in report.problems if "is no option of aos-train" in problem]
    assert report.best.startswith("On this folder of 120 images, copies does best")
