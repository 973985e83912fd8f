from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import CompareConfig
from imbsynth.engine import compare
from imbsynth.engine.comparison.results import read_results
from imbsynth.errors import UserError
from tests.engine.comparison.files import (
    change,
    write_results,
)


def test_one_trial_in_two_experiments_is_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5, 0.5]]})
    write_results(tmp_path / "two", {"plain": [[0.6]]})
    with pytest.raises(UserError, match="plain on set 0, x, seed 0") as caught:
        compare.run(CompareConfig(src=tmp_path))
    for name in ("one", "two"):
        assert f"{name}/trials/set 0/x/plain/0.json" in caught.value.problem


def test_two_imbalanced_copies_of_one_name_are_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5]]}, {"x": 9})
    write_results(tmp_path / "two", {"AOS": [[0.6]]}, {"x": 90})
    with pytest.raises(UserError, match="imbalanced copies of set 0, x, seed 0 that differ"):
        compare.run(CompareConfig(src=tmp_path))


def test_an_experiment_without_results_is_named(tmp_path: Path) -> None:
    write_results(tmp_path / "deep/one", {"plain": [[]]})
    with pytest.raises(UserError, match="deep/one: no trial of the experiment is done yet"):
        compare.run(CompareConfig(src=tmp_path))


@pytest.mark.parametrize(
    "edit",
    [
        lambda found: found.pop("imbalanced_copy"),
        lambda found: found["imbalanced_copy"].update(counts={}),
        lambda found: found["imbalanced_copy"].update(counts={"a": 0, "b": 2}),
        lambda found: found["imbalanced_copy"].update(counts={"a": "many", "b": 2}),
        lambda found: found["imbalanced_copy"].update(counts={"b": 2}),
        lambda found: found["imbalanced_copy"].update(counts=[1]),
        lambda found: found.update(tests=7),
        lambda found: found["tests"]["test"].update(per_class={}),
        lambda found: found["tests"]["test"].update(acsa="good"),
        lambda found: found["tests"]["test"].update(acsa=1e308),
        lambda found: found["tests"]["test"]["intervals"].update(acsa=[0, 2]),
        lambda found: found["trial"].update(seed="first"),
    ],
)
def test_a_foreign_trial_is_named(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    write_results(tmp_path, {"plain": [[0.5]]})
    change(tmp_path / "trials/set 0/x/plain/0.json", edit)
    with pytest.raises(UserError, match=r"plain/0\.json: not written by `imbsynth experiment`"):
        read_results(tmp_path)


@pytest.mark.parametrize("trials", [None, 7, [7], ["../x"], ["/etc/passwd"], ["a\0"]])
def test_a_foreign_protocol_is_named(tmp_path: Path, trials: object) -> None:
    (tmp_path / "protocol.json").write_text(json.dumps({"trials": trials}))
    with pytest.raises(UserError, match=r"protocol\.json: lists no trials"):
        read_results(tmp_path)
    (tmp_path / "protocol.json").write_text(json.dumps({"trials": ["x" * 9999]}))
    with pytest.raises(UserError, match="no trial of the experiment is done yet"):
        read_results(tmp_path)
