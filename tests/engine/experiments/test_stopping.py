from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imbsynth.cli.experiment_summary import summary
from imbsynth.configs import ExperimentConfig, ReportConfig
from imbsynth.configs.contenders import PLAIN
from imbsynth.engine import experiment, report
from imbsynth.engine.events import Event, Note
from imbsynth.errors import UserError
from imbsynth.store.records import read_json, write_json
from tests.conftest import MakeFolder
from tests.engine.experiments.written import Right, written
from tests.pages.reading import check_page

Place = Callable[[Right], ExperimentConfig]


@pytest.fixture
def place(make_folder: MakeFolder) -> Place:
    """Makes an experiment on a folder of two classes in three folds, with these results."""
    return lambda right: written(make_folder, right)


def standing(config: ExperimentConfig) -> dict[str, str]:
    """Where the trials of the third fold stand."""
    trials = experiment.run(config).trials
    return {name.split("/")[2]: status for name, status in trials.items() if name[-1] == "2"}


BEHIND: Right = {PLAIN: [16, 16], "copies": [3, 3], "strong": [17, 17]}


def test_a_method_surely_behind_is_spared_the_last_fold(
    place: Place,
) -> None:
    config = place(BEHIND)
    assert standing(config) == {PLAIN: "to do", "copies": "stopped", "strong": "to do"}
    assert set(standing(replace(config, all_folds=True)).values()) == {"to do"}


def test_every_share_of_the_work_decides_the_same(
    place: Place,
) -> None:
    config = place(BEHIND)
    found = [standing(replace(config, shard=(which, 2))) for which in (1, 2)]
    assert [one["copies"] for one in found] == ["stopped"] * 2


def test_while_a_share_of_the_fold_is_missing_nothing_is_decided(
    place: Place,
) -> None:
    config = place({**BEHIND, "strong": [17]})
    assert standing(config)["copies"] == "to do"


@pytest.mark.parametrize("last", [[], [20]], ids=["spared", "made nevertheless"])
def test_the_verdict_says_who_was_stopped_when_and_by_how_much(
    place: Place,
    last: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = place({PLAIN: [16] * 3, "copies": [3, 3, *last], "strong": [17] * 3})
    found = experiment.run(config)
    assert found.winner == "strong"
    stopped = {verdict.method: verdict for verdict in found.verdicts}["copies"]
    assert (stopped.words, stopped.acsa) == ("stopped", 0.15)  # without the last fold
    assert stopped.gain == pytest.approx(-0.65)
    assert stopped.outcome.startswith("stopped after fold 2 of 3: behind strong by 70.0 [")
    summary(found)
    printed = " ".join(capsys.readouterr().out.split())
    assert "surely more than a point of ACSA behind the best one" in printed
    assert "imbsynth aos-train" in printed


def test_a_report_has_the_verdict_although_trials_were_spared(
    place: Place,
) -> None:
    config = place({PLAIN: [16] * 3, "copies": [3, 3], "strong": [17] * 3})
    page = config.out.parent / "page.html"
    found = report.run(ReportConfig(src=config.out, out=page))
    assert found.problems == []
    assert "stopped after fold 2 of 3: behind strong by 70.0" in page.read_text()
    check_page(page.read_text())


def test_a_report_waits_for_the_methods_that_run_on(
    place: Place,
) -> None:
    config = place({PLAIN: [16] * 3, "copies": [3, 3], "strong": [17] * 2})
    told: list[Event] = []
    with pytest.raises(UserError, match="no output"):
        report.run(ReportConfig(src=config.out, out=Path("page.html")), on_event=told.append)
    assert any("1 of 9 trials are to do" in e.text for e in told if isinstance(e, Note))


def test_a_trial_is_spared_as_soon_as_the_others_show_it(
    place: Place,
) -> None:
    """The second fold of one method is missing: it is made, and then the rest is decided."""
    right = {PLAIN: [16, 16], "copies": [3], "strong": [17, 17]}
    config = replace(place(right), dry_run=False, shard=(5, 9))  # its second fold alone
    trials = experiment.run(config).trials
    assert trials["folder/as is/copies/1"] == "made now"
    assert trials["folder/as is/copies/2"] in ("elsewhere", "stopped")
    again = experiment.run(replace(config, dry_run=True)).trials
    assert again["folder/as is/copies/2"] == trials["folder/as is/copies/2"]


def test_answers_for_other_images_than_those_of_another_method_are_named(
    place: Place, tmp_path: Path
) -> None:
    """Image by image, they could not be compared."""
    config = place({PLAIN: [16, 16, 16], "copies": [17, 17, 17]})
    path = config.out / "trials/folder/as is/copies/1.json"
    found = read_json(path)
    found["tests"]["test"]["answers"] = [[0] * 20, [1] * 19]
    write_json(path, found)
    with pytest.raises(UserError, match=r"copies/1\.json: not written by this version"):
        experiment.run(config)
    with pytest.raises(UserError):  # nothing else is there to report on
        report.run(ReportConfig(src=config.out, out=tmp_path / "page.html"))
