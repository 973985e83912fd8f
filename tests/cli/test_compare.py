from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imbsynth.cli import app
from tests.engine.comparison.files import (
    CLEAR,
    change,
    write_evaluation,
    write_predictions,
    write_results,
)


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_what_is_compared_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    write_results(tmp_path, CLEAR | {"AOS": [[0.7], [0.8, 0.8], []]})
    code, out, err = invoke(tmp_path)
    assert code == 0, err
    assert "Compared by acsa over 2 of 3 problems, 1 to 2 seeds each" in out
    assert "left out: set 0, x: seed 1, without AOS" in out
    assert "left out: set 2, x: no result of AOS" in out
    assert "Friedman" not in out
    rows = [line.split() for line in out.splitlines()]
    assert ["AOS", "1.00", "4", "0"] in rows
    assert ["plain", "3.00", "0", "4"] in rows
    code, out, _ = invoke(tmp_path, "--json")
    assert code == 0
    compared = json.loads(out)["compared"]
    assert (compared["problems"], compared["of"], len(compared["left_out"])) == (2, 3, 2)
    assert compared["seeds"] == {"set 0, x": [0], "set 1, x": [0, 1]}


def test_only_the_signs_that_are_there_are_explained(tmp_path: Path) -> None:
    for name, value in (("one", 0.5), ("two", 0.5)):
        write_evaluation(tmp_path / "same" / name, value, {"a": 9, "b": 2})
        write_evaluation(tmp_path / "other" / name, value, {"a": 9, "b": 2})
    change(tmp_path / "other/one/metrics.json", lambda found: found.update(acsa=0.7))
    write_results(tmp_path / "grid", {"plain": [[0.5, 0.6]]})
    best, brackets, spread = "* the best", "in brackets the 95 % interval", "after ± the standard"
    for folder, signs in (("same", {brackets}), ("other", {best, brackets}), ("grid", {spread})):
        _, out, _ = invoke(tmp_path / folder)
        assert {sign for sign in (best, brackets, spread) if sign in out} == signs


def test_of_one_problem_nothing_more_is_said(tmp_path: Path) -> None:
    write_results(tmp_path, {"plain": [[0.5]], "AOS": [[0.6]]})
    code, out, _ = invoke(tmp_path)
    assert code == 0
    assert "Compared by" not in out
    assert "0.6000* [0.400, 0.600]" in out


def test_without_a_common_problem_nothing_is_ranked(tmp_path: Path) -> None:
    write_results(tmp_path, {"plain": [[0.5], []], "AOS": [[], [0.6]]})
    code, out, err = invoke(tmp_path)
    assert code == 0, err
    assert "Not ranked: every method needs a result on the same problem" in out
    assert "Compared by" not in out


def test_the_tests_are_shown_with_what_they_hold_alike(tmp_path: Path) -> None:
    write_results(tmp_path, CLEAR)
    code, out, _ = invoke(tmp_path, "--rope", 0.02)
    assert code == 0
    assert "(Friedman): p = 0.0970" in out
    assert "alike: no further apart than 0.02" in out


def test_methods_are_compared_by_their_rarest_classes_too(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "src/one", 0.5, {"a": 9, "b": 2})
    code, out, err = invoke(
        tmp_path / "src", "--metric", "rarest_recall", "--out", tmp_path / "tables"
    )
    assert code == 0, err
    assert "0.8000  " in out
    assert "| one | 1 | 80.00 |" in (tmp_path / "tables/tables.md").read_text()


def test_two_evaluations_end_with_which_is_better(tmp_path: Path) -> None:
    for name, right in (("plain", 20), ("good", 38)):
        write_evaluation(tmp_path / name, right / 40, {"a": 9, "b": 2})
        write_predictions(tmp_path / name, [right, right])
    code, out, err = invoke(tmp_path)
    assert code == 0, err
    assert "Compared by acsa, image by image\nOf 2 classifiers, good did best" in out
    assert "It is clearly better than plain." in out
    assert "A lead is clear if its whole interval is above 1 point." in out
    _, out, _ = invoke(tmp_path, "--metric", "f1_macro", "--rope", 0.5)
    assert "Compared by acsa, image by image (there is no such test by f1_macro)" in out
    assert "Whether it is better than plain (+45.0 points, interval" in out
    _, out, _ = invoke(tmp_path, "--json")
    assert json.loads(out)["image_by_image"]["groups"][0]["best"] == "good"

    (tmp_path / "good/predictions.csv").unlink()
    code, out, err = invoke(tmp_path)
    assert code == 0, err
    assert "Not compared image by image\nleft out: good: no predictions.csv" in out


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"cells": 1}', "\0", "[" * 9999])
def test_a_damaged_protocol_is_named_and_nothing_written(tmp_path: Path, text: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/protocol.json").write_text(text)
    code, out, err = invoke(tmp_path / "src", "--out", tmp_path / "tables")
    assert (code, out) == (2, "")
    assert "protocol.json" in err
    assert "fix:" in err
    assert "Traceback" not in err
    assert not (tmp_path / "tables").exists()


def test_two_experiments_with_one_cell_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_results(tmp_path / name, {"plain": [[0.5]]})
    code, out, err = invoke(tmp_path)
    assert (code, out) == (2, "")
    assert "both hold plain on set 0, x, seed 0" in err
