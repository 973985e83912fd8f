from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.configs import CompareConfig
from imbsynth.engine import compare
from imbsynth.engine.comparison.contests import in_common, in_words
from imbsynth.engine.comparison.results import METRIC_NAMES, SCORES, Result, read_results
from imbsynth.errors import UserError
from tests.conftest import contents

ThreeByThree = dict[str, list[list[float]]]
CLEAR: ThreeByThree = {
    "plain": [[0.50, 0.52], [0.60, 0.60], [0.7, 0.7]],
    "ROS": [[0.60, 0.62], [0.70, 0.70], [0.65, 0.65]],
    "AOS": [[0.70, 0.76], [0.80, 0.80], [0.9, 0.9]],
}


def scores_of(value: float, trained: dict[str, int]) -> dict[str, Any]:
    """What `evaluate` writes; recalls of 0.9, 0.8, ... in the order of the classes."""
    classes = {
        name: {"trained": n, "recall": 0.9 - i / 10} for i, (name, n) in enumerate(trained.items())
    }
    intervals = {name: [0.4, 0.6] for name in METRIC_NAMES}
    scores: dict[str, Any] = dict.fromkeys(METRIC_NAMES, 0.5) | {"acsa": value}
    return scores | {"intervals": intervals, "per_class": classes}


def write_results(
    out: Path, acsa: dict[str, list[list[float]]], largest: dict[str, int] | None = None
) -> None:
    """An experiment with the given ACSA by method, data set and seed.

    Its imbalances have the given numbers of images in the largest class, and 2 in the other one.
    """
    names = []
    for method, sets in acsa.items():
        for i, values in enumerate(sets):
            for imbalance, images in (largest or {"x": 9}).items():
                for seed, value in enumerate(values):
                    cell: dict[str, Any] = {"data": f"set {i}", "imbalance": imbalance}
                    cell |= {"method": method, "seed": seed}
                    counts = {"a": images, "b": 2}
                    names.append(f"set {i}/{imbalance}/{method}/{seed}")
                    found = {"cell": cell, "cut": {"counts": counts}}
                    found["tests"] = {"test": scores_of(value, counts)}
                    path = out / "cells" / f"{names[-1]}.json"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(found))
    out.mkdir(parents=True, exist_ok=True)
    (out / "protocol.json").write_text(json.dumps({"cells": names}))


def write_evaluation(folder: Path, value: float, trained: dict[str, int]) -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(scores_of(value, trained)))


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))


def lines_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_tables_come_from_the_results_alone(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    row = next(r for r in report.rows if (r["problem"], r["method"]) == ("set 0, x", "AOS"))
    assert (row["acsa"], row["seeds"]) == (pytest.approx(0.73), 2)
    assert row["acsa_spread"] == pytest.approx(0.06 / 2**0.5)
    assert row["rarest_recall"] == pytest.approx(0.8)
    assert row["best"] == list(SCORES)
    assert report.wins == {
        "plain": {"ROS": 1, "AOS": 0},
        "ROS": {"plain": 2, "AOS": 0},
        "AOS": {"plain": 3, "ROS": 3},
    }
    # Ranks 3 2 1, 3 2 1, 2 3 1: chi^2 = 12 / (3 * 3 * 4) * (8^2 + 7^2 + 3^2) - 3 * 3 * 4 = 14 / 3.
    assert report.friedman == pytest.approx(np.exp(-14 / 6))
    assert report.ranks == pytest.approx({"plain": 8 / 3, "ROS": 7 / 3, "AOS": 1})
    for pair in report.pairs:
        chances = [pair[name] for name in ("first_better", "alike", "second_better")]
        assert sum(chances) == pytest.approx(1)
    assert report.compared["words"] == "over 3 of 3 problems, 2 seeds each"
    assert report.compared["left_out"] == []


def test_tables_can_be_pasted_and_opened_in_a_spreadsheet(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables", rope=0.02))
    text = (tmp_path / "tables/tables.md").read_text()
    assert "| AOS | **73.00** ± 4.24 | **80.00** ± 0.00 | **90.00** ± 0.00 |" in text
    assert "| AOS | 1.00 | 3/0 | 3/0 | - |" in text
    assert "p = 0.0970, over 3 of 3 problems, 2 seeds each." in text
    assert "differences up to 2 (the rope) are alike" in text
    assert "## set 1, x\n\n|  | seeds | ACSA | GM |" in text
    assert "| plain | 2 | 60.00 ± 0.00 | **50.00** ± 0.00 |" in text
    assert len((tmp_path / "tables/results.csv").read_text().splitlines()) == 1 + 18
    summary = lines_of(tmp_path / "tables/summary.csv")
    assert len(summary) == 9
    assert (summary[0]["problem"], summary[0]["method"], summary[0]["seeds"]) == (
        "set 0, x", "plain", "2",
    )  # fmt: skip
    assert float(summary[0]["acsa_mean"]) == pytest.approx(0.51)
    assert float(summary[0]["acsa_sd"]) == pytest.approx(0.02 / 2**0.5)
    won = lines_of(tmp_path / "tables/wins.csv")
    first = {"method": "plain", "other": "ROS", "wins": "1", "losses": "2", "ties": "0"}
    assert won[0] == {**first, "problems": "3"}
    pairs = lines_of(tmp_path / "tables/pairs.csv")
    assert [float(pair["p"]) for pair in pairs] == [pair["p"] for pair in report.pairs]
    assert (tmp_path / "tables/spreads.png").stat().st_size > 0


def test_one_problem_is_one_table(tmp_path: Path) -> None:
    write_results(tmp_path / "out", {f"method {i}": [[i / 20, i / 20]] for i in range(16)})
    compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    text = (tmp_path / "tables/tables.md").read_text()
    assert text.count("##") == 1
    assert text.count("\n|") == 2 + 16
    assert not (tmp_path / "tables/pairs.csv").exists()


def test_the_same_results_are_the_same_bytes(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)
    for name in ("one", "two"):
        compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / name))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_methods_are_compared_on_the_seeds_that_all_have(tmp_path: Path) -> None:
    """AOS's third seed would win the first problem for it, and has nothing to be compared with."""
    acsa = {"plain": [[0.6, 0.6], [0.5]], "AOS": [[0.5, 0.5, 1.0], [0.6]]}
    write_results(tmp_path / "out", acsa)
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    assert report.wins == {"plain": {"AOS": 1}, "AOS": {"plain": 1}}
    assert report.compared["seeds"] == {"set 0, x": [0, 1], "set 1, x": [0]}
    assert report.compared["words"] == "over 2 of 2 problems, 1 to 2 seeds each"
    assert report.compared["left_out"] == ["set 0, x: seed 2, without plain"]
    assert next(row["seeds"] for row in report.rows if row["method"] == "AOS") == 3
    text = (tmp_path / "tables/tables.md").read_text()
    assert "Over 2 of 2 problems, 1 to 2 seeds each. Left out:\n\n- set 0, x: seed 2" in text


def test_a_problem_without_a_method_is_left_out_and_said(tmp_path: Path) -> None:
    acsa = {"plain": [[0.5], [0.5], [0.5], [0.5]], "ROS": [[0.6], [0.6], [0.6], []]}
    write_results(tmp_path / "out", acsa | {"AOS": [[0.7], [0.7], [], []]})
    report = compare.run(CompareConfig(src=tmp_path / "out"))
    assert (report.compared["problems"], report.compared["of"]) == (2, 4)
    assert report.compared["left_out"] == [
        "set 2, x: no result of AOS",
        "set 3, x: no result of ROS, AOS",
    ]
    assert report.wins["AOS"] == {"plain": 2, "ROS": 2}
    assert report.friedman is None


def test_methods_without_a_problem_in_common_are_not_compared(tmp_path: Path) -> None:
    write_results(tmp_path / "out", {"plain": [[0.5], []], "AOS": [[], [0.5]]})
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    assert (report.compared["problems"], report.wins, report.ranks) == (0, {}, {})
    assert "Over 0 of 2 problems. Left out:" in (tmp_path / "tables/tables.md").read_text()


def result(problem: int, method: int, seed: int) -> Result:
    return Result(f"p{problem}", f"m{method}", seed, dict.fromkeys(SCORES, 0.5), {})


@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_what_is_compared_is_a_full_grid(there: set[tuple[int, int, int]]) -> None:
    results = [result(*cell) for cell in sorted(there)]
    common, kept = in_common(results)
    methods = {found.method for found in results}
    grid = {(p, m, seed) for p, seeds in common.seeds.items() for m in methods for seed in seeds}
    assert {(found.problem, found.method, found.seed) for found in kept} == grid
    assert common.of == len({found.problem for found in results})
    assert bool(common.left_out) == (len(kept) < len(results))
    assert in_words(common).startswith(f"over {len(common.seeds)} of {common.of} problem")


def test_all_experiments_and_evaluations_below_are_read(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5]]})
    write_results(tmp_path / "deep/two", {"AOS": [[0.6]]})
    work = tmp_path / "one/work/set 0"
    write_results(work / "three", {"ROS": [[0.6]]})  # what an experiment keeps for itself
    write_evaluation(work / "scores", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / "one/single", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / "single", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / ".single.part", 0.5, {"a": 2, "b": 1})  # half written
    report = compare.run(CompareConfig(src=tmp_path))
    assert {(row["problem"], row["method"]) for row in report.rows} == {
        ("set 0, x", "plain"),
        ("set 0, x", "AOS"),
        ("", "one/single"),
        ("", "single"),
    }
    assert report.wins == {"plain": {"AOS": 0}, "AOS": {"plain": 1}}
    assert report.compared["left_out"] == ["2 single evaluations, which name no problem"]


def test_one_cell_in_two_experiments_is_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5, 0.5]]})
    write_results(tmp_path / "two", {"plain": [[0.6]]})
    with pytest.raises(UserError, match="plain on set 0, x, seed 0") as caught:
        compare.run(CompareConfig(src=tmp_path))
    for name in ("one", "two"):
        assert f"{name}/cells/set 0/x/plain/0.json" in caught.value.problem


def test_two_cuts_of_one_name_are_refused(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5]]}, {"x": 9})
    write_results(tmp_path / "two", {"AOS": [[0.6]]}, {"x": 90})
    with pytest.raises(UserError, match="cuts of set 0, x, seed 0 that differ"):
        compare.run(CompareConfig(src=tmp_path))


def test_an_experiment_without_results_is_named(tmp_path: Path) -> None:
    write_results(tmp_path / "deep/one", {"plain": [[]]})
    with pytest.raises(UserError, match="deep/one: no cell of the experiment is done yet"):
        compare.run(CompareConfig(src=tmp_path))


@pytest.mark.parametrize(
    "edit",
    [
        lambda found: found.pop("cut"),
        lambda found: found["cut"].update(counts={}),
        lambda found: found["cut"].update(counts={"a": 0, "b": 2}),
        lambda found: found["cut"].update(counts={"a": "many", "b": 2}),
        lambda found: found["cut"].update(counts={"b": 2}),
        lambda found: found["cut"].update(counts=[1]),
        lambda found: found.update(tests=7),
        lambda found: found["tests"]["test"].update(per_class={}),
        lambda found: found["tests"]["test"].update(acsa="good"),
        lambda found: found["cell"].update(seed="first"),
    ],
)
def test_a_foreign_cell_is_named(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    write_results(tmp_path, {"plain": [[0.5]]})
    change(tmp_path / "cells/set 0/x/plain/0.json", edit)
    with pytest.raises(UserError, match=r"plain/0\.json: not written by `imbsynth experiment`"):
        read_results(tmp_path)


@pytest.mark.parametrize("cells", [None, 7, [7], ["../x"], ["/etc/passwd"], ["a\0"]])
def test_a_foreign_protocol_is_named(tmp_path: Path, cells: object) -> None:
    (tmp_path / "protocol.json").write_text(json.dumps({"cells": cells}))
    with pytest.raises(UserError, match=r"protocol\.json: lists no cells"):
        read_results(tmp_path)
    (tmp_path / "protocol.json").write_text(json.dumps({"cells": ["x" * 9999]}))
    with pytest.raises(UserError, match="no cell of the experiment is done yet"):
        read_results(tmp_path)


def test_the_imbalance_is_that_of_the_cut(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_results(out, {"plain": [[0.5]], "decoded": [[0.5]]})

    def nothing_real(found: dict[str, Any]) -> None:
        for row in found["tests"]["test"]["per_class"].values():
            row["trained"] = 0

    change(out / "cells/set 0/x/decoded/0.json", nothing_real)
    compare.run(CompareConfig(src=out, out=tmp_path / "tables"))
    lines = lines_of(tmp_path / "tables/results.csv")
    assert [(line["rho"], line["mu"]) for line in lines] == [("4.5", "0.5")] * 2
    assert [float(line["rarest_recall"]) for line in lines] == pytest.approx([0.8, 0.8])


def test_of_several_rarest_classes_the_mean_recall_counts(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "few", 0.5, {"a": 9, "b": 2, "c": 5, "d": 2})  # 0.9, 0.8, 0.7, 0.6
    write_evaluation(tmp_path / "one", 0.5, {"a": 9, "b": 3, "c": 5, "d": 2})
    report = compare.run(CompareConfig(src=tmp_path, metric="rarest_recall"))
    recalls = [row["rarest_recall"] for row in report.rows]
    assert recalls == pytest.approx([0.7, 0.6])
    assert report.wins == {"few": {"one": 1}, "one": {"few": 0}}


@pytest.mark.parametrize("name", ["a|b", "a\\|b", "*a*", "<b>", "`a`", "caf\udce9", "a\nb", "$x_1"])
def test_any_name_stays_in_its_cell(tmp_path: Path, name: str) -> None:
    write_evaluation(tmp_path / "src" / name, 0.5, {"a": 2, "b": 1})
    compare.run(CompareConfig(src=tmp_path / "src", out=tmp_path / "tables"))
    text = (tmp_path / "tables/tables.md").read_text()
    (line,) = [line for line in text.splitlines() if "50.00" in line]
    cells = line.replace(r"\\", "").replace(r"\|", "").count("|")
    assert cells == text.splitlines()[2].count("|")
    assert "[40.0, 60.0]" in line


def test_equal_scores_are_all_the_best(tmp_path: Path) -> None:
    write_results(tmp_path, {"plain": [[0.1] * 3], "AOS": [[0.1]]})
    report = compare.run(CompareConfig(src=tmp_path))
    assert all("acsa" in row["best"] for row in report.rows)
    assert report.wins == {"plain": {"AOS": 0}, "AOS": {"plain": 0}}
