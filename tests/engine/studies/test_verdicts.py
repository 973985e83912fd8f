from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.configs import ExperimentConfig
from imbsynth.core.bootstrap import interval_around, plausible_recalls
from imbsynth.engine import experiment
from imbsynth.engine.events import Event, Note
from imbsynth.engine.studies.verdicts import PLAIN, base_of, protocol_for
from imbsynth.errors import UserError
from imbsynth.store.folders import scan
from tests.conftest import MakeFolder


def write_cells(out: Path, names: list[str], confusions: dict[str, list[list[list[int]]]]) -> None:
    """Results of the named cells, by method and fold; methods without one as plain training."""
    for name in names:
        *_, method, fold = name.split("/")
        folds = confusions.get(method, confusions[PLAIN])
        path = out / "cells" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"tests": {"test": {"confusion": folds[int(fold)]}}}))


def test_a_verdict_on_a_folder_goes_on_where_it_stopped(make_folder: MakeFolder) -> None:
    src = make_folder({"common": 12, "rare": 3})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu")
    names = [cell.name for cell in protocol_for(scan(src), config).cells()]
    assert len(names) == 30
    left = "folder/as is/DeepSMOTE/0"
    good, bad = [[[4, 0], [0, 1]]] * 3, [[[4, 0], [1, 0]]] * 3
    done = [name for name in names if name != left]
    write_cells(config.out, done, {PLAIN: bad, "ROS": good, "AOS": bad})

    heard: list[Event] = []
    report = experiment.run(config, on_event=heard.append)
    assert [name for name, status in report.cells.items() if status == "made now"] == [left]
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert "in class rare (3)" in notes[0]
    assert any(note.startswith("1 trainings, about ") for note in notes)

    found = {verdict.method: verdict for verdict in report.verdicts}
    assert list(found["ROS"].recalls) == ["rare", "common"]
    assert (found["ROS"].acsa, found["ROS"].words) == (1.0, "helps")
    assert (found["AOS"].better, found["AOS"].words) == (0.0, "no difference")
    assert found[PLAIN].words == ""
    low, high = found["AOS"].recall_intervals["rare"]
    assert low == 0 < 0.3 < high  # none of three found says little
    assert {Path(name).name for name in report.pictures} == {
        "acsa.png", "recalls.png", "samples.png", "reconstructions.png"
    }  # fmt: skip
    assert all(Path(name).stat().st_size > 0 for name in report.pictures)
    assert set(experiment.run(config).cells.values()) == {"done"}


@pytest.mark.parametrize(
    ("method", "base"),
    [
        ("plain", None),
        ("AOS", "plain"),
        ("plain + affine", "plain"),
        ("AOS + affine", "plain + affine"),
    ],
)
def test_what_a_method_is_held_against(method: str, base: str | None) -> None:
    assert base_of(method) == base


@pytest.mark.parametrize("counts", [{"a": 9, "b": 2}, {"a": 9}])
def test_a_folder_too_small_to_cross_validate_is_named(
    make_folder: MakeFolder, counts: dict[str, int]
) -> None:
    src = make_folder(counts)
    with pytest.raises(UserError, match="cross-validation needs two classes"):
        experiment.run(ExperimentConfig(on=src, out=src.parent / "out", device="cpu"))
    assert not (src.parent / "out").exists()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=4))
def test_an_interval_holds_its_score_and_is_never_a_point(rows: list[tuple[int, int]]) -> None:
    confusion: Any = np.zeros((len(rows), len(rows)))
    for k, (hits, misses) in enumerate(rows):
        confusion[k, k], confusion[k, k - 1] = hits, misses
    drawn = plausible_recalls(confusion, 500, np.random.default_rng(0))
    for k, (hits, misses) in enumerate(rows):
        recall = hits / (hits + misses)
        low, high = interval_around(recall, drawn[:, k])
        assert 0 <= low <= recall <= high <= 1
        assert high - low > 0.1
