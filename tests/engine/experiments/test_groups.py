from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import ExperimentConfig
from imbsynth.configs.contenders import PLAIN
from imbsynth.engine import experiment
from imbsynth.engine.events import silent
from imbsynth.engine.experiments.trials import run_trial, train_on_folder
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.errors import UserError
from imbsynth.store.folders import scan
from tests.engine.experiments.written import protocol_for
from tests.engine.test_grouping import make_tracks, tracks_of, write_list

TRACK = r"^(\d+)_"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    return make_tracks(tmp_path / "src", {"a": [4] * 5, "b": [3] * 4})


def brief(src: Path, **grouping: Any) -> Workspace:
    """The cross-validation of plain training alone, for one epoch."""
    config = ExperimentConfig(on=src, out=src.parent / "out", **grouping)
    protocol = protocol_for(scan(src), config)
    plain = protocol.methods[PLAIN]
    short = replace(plain, train={**plain.train, "epochs": 1, "images_per_epoch": 20})
    protocol = replace(protocol, methods={PLAIN: short})
    return Workspace(protocol, src, config.out, "cpu", config.grouping())


@pytest.mark.parametrize("way", ["groups", "group_pattern"])
def test_no_track_is_in_two_parts_of_a_fold(src: Path, way: str) -> None:
    write_list(src.parent / "groups.csv", src)
    grouping = {"groups": src.parent / "groups.csv", "group_pattern": TRACK}
    workspace = brief(src, **{way: grouping[way]})
    trials = workspace.protocol.trials()
    assert len(trials) == 3
    run_trial(workspace, trials[0], int, silent)
    folds = workspace.folds(trials[0])
    tested = [tracks_of(folds / f"fold-{i}/test") for i in (1, 2, 3)]
    assert sum(map(len, tested)) == len(set().union(*tested)) == 9
    parts = workspace.shared(trials[0]) / "parts"
    three = [
        tracks_of(folds / "fold-1/test"),
        tracks_of(parts / "train"),
        tracks_of(parts / "test"),
    ]
    assert sum(map(len, three)) == len(set().union(*three)) == 9
    train_on_folder(workspace, PLAIN, src.parent / "clf.safetensors", silent)
    whole = workspace.shared(trials[0]._replace(seed=3)) / "parts"
    assert not tracks_of(whole / "train") & tracks_of(whole / "test")


def test_results_of_another_grouping_are_not_taken(src: Path) -> None:
    workspace = brief(src, group_pattern=TRACK)
    run_trial(workspace, workspace.protocol.trials()[0], int, silent)
    other = {"group_pattern": "(.+)_"}
    for grouping, problem in (
        ({}, "with group-pattern"),
        (other, r"with group-pattern .*, not \(.\+"),
    ):
        with pytest.raises(UserError, match=problem):
            brief(src, **grouping).check_results()
    brief(src, group_pattern=TRACK).check_results()


def test_each_class_needs_three_groups(src: Path) -> None:
    config = ExperimentConfig(on=src, out=src.parent / "out", group_pattern=r"0(.)_")
    assert protocol_for(scan(src), config).folds == 3
    for frame in sorted((src / "b").glob("0000[78]_*")):
        frame.rename(frame.with_name(f"00006-{frame.name}"))
    config = ExperimentConfig(on=src, out=src.parent / "out", group_pattern=r"^(\d+)")
    with pytest.raises(UserError, match=r"class b: groups: 2\n.*three groups of each"):
        protocol_for(scan(src), config)


def test_a_list_for_other_files_is_refused_before_anything_runs(src: Path) -> None:
    write_list(src.parent / "groups.csv", src)
    (src / "a/00000_00000.png").unlink()
    config = ExperimentConfig(on=src, out=src.parent / "out", groups=src.parent / "groups.csv")
    with pytest.raises(UserError, match=r"line 2: .* has no image a/00000_00000\.png"):
        experiment.run(config)
    assert not (src.parent / "out").exists()


def test_groups_go_with_a_folder(src: Path) -> None:
    with pytest.raises(UserError, match="group_pattern goes with on"):
        ExperimentConfig(protocol=src, data=src, out=src, group_pattern="(a)")
