from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbsynth.cli.compare_summary import run
from imbsynth.configs import CompareConfig
from imbsynth.engine import compare
from tests.conftest import contents
from tests.engine.comparison.files import (
    CLEAR,
    change,
    lines_of,
    make_older,
    write_evaluation,
    write_results,
    write_tested_on,
)


def test_tables_come_from_the_results_alone(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)
    report = run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    row = next(r for r in report.rows if (r["problem"], r["method"]) == ("set 0, x", "AOS"))
    assert (row["acsa"], row["seeds"]) == (pytest.approx(0.73), 2)
    assert row["acsa_spread"] == pytest.approx(0.06 / 2**0.5)
    assert row["rarest_recall"] == pytest.approx(0.8)
    assert row["best"] == ["acsa"]  # in the other scores all methods are equal
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
    report = run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables", rope=0.02))
    text = (tmp_path / "tables/tables.md").read_text()
    assert "| AOS | **73.00** ± 4.24 | **80.00** ± 0.00 | **90.00** ± 0.00 |" in text
    assert "| AOS | 1.00 | 3/0 | 3/0 | - |" in text
    assert "p = 0.0970, over 3 of 3 problems, 2 seeds each." in text
    assert "differences up to 2 (the rope) are alike" in text
    assert "## set 1, x\n\n|  | seeds | ACSA | GM |" in text
    assert "| plain | 2 | 60.00 ± 0.00 | 50.00 ± 0.00 |" in text
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
    run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    text = (tmp_path / "tables/tables.md").read_text()
    assert text.count("##") == 1
    assert text.count("\n|") == 2 + 16
    assert not (tmp_path / "tables/pairs.csv").exists()


def test_the_same_results_are_the_same_bytes(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)
    for name in ("one", "two"):
        run(CompareConfig(src=tmp_path / "out", out=tmp_path / name))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_methods_are_compared_on_the_seeds_that_all_have(tmp_path: Path) -> None:
    """AOS's third seed would win the first problem for it, and has nothing to be compared with."""
    acsa = {"plain": [[0.6, 0.6], [0.5]], "AOS": [[0.5, 0.5, 1.0], [0.6]]}
    write_results(tmp_path / "out", acsa)
    report = run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
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
    report = run(CompareConfig(src=tmp_path / "out"))
    assert (report.compared["problems"], report.compared["of"]) == (2, 4)
    assert report.compared["left_out"] == [
        "set 2, x: no result of AOS",
        "set 3, x: no result of ROS, AOS",
    ]
    assert report.wins["AOS"] == {"plain": 2, "ROS": 2}
    assert report.friedman is None


def test_methods_without_a_problem_in_common_are_not_compared(tmp_path: Path) -> None:
    write_results(tmp_path / "out", {"plain": [[0.5], []], "AOS": [[], [0.5]]})
    report = run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    assert (report.compared["problems"], report.wins, report.ranks) == (0, {}, {})
    assert "Over 0 of 2 problems. Left out:" in (tmp_path / "tables/tables.md").read_text()


def test_all_experiments_and_evaluations_below_are_read(tmp_path: Path) -> None:
    write_results(tmp_path / "one", {"plain": [[0.5]]})
    write_results(tmp_path / "deep/two", {"AOS": [[0.6]]})
    work = tmp_path / "one/work/set 0"
    write_results(work / "three", {"ROS": [[0.6]]})  # what an experiment keeps for itself
    write_evaluation(work / "scores", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / "one/single", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / "single", 0.5, {"a": 2, "b": 1})
    write_evaluation(tmp_path / ".single.part", 0.5, {"a": 2, "b": 1})  # half written
    report = run(CompareConfig(src=tmp_path))
    assert {(row["problem"], row["method"]) for row in report.rows} == {
        ("set 0, x", "plain"),
        ("set 0, x", "AOS"),
        ("", "one/single"),
        ("", "single"),
    }
    assert report.wins == {"plain": {"AOS": 0}, "AOS": {"plain": 1}}
    assert report.compared["left_out"] == ["2 single evaluations, which name no problem"]


def test_evaluations_on_different_images_are_in_tables_of_their_own(tmp_path: Path) -> None:
    for name, folder, digest in [("a", "test", "0" * 64), ("b", "test", "1" * 64), ("c", "x", "2")]:
        write_evaluation(tmp_path / name, 0.5, {"a": 2, "b": 1})
        write_tested_on(tmp_path / name, folder, digest)
    write_evaluation(tmp_path / "unknown", 0.6, {"a": 2, "b": 1})
    report = run(CompareConfig(src=tmp_path))
    assert {(row["problem"], row["method"]) for row in report.rows} == {
        ("tested on test (00000000)", "a"),
        ("tested on test (11111111)", "b"),
        ("tested on x", "c"),
        ("", "unknown"),
    }
    assert report.compared["left_out"] == [
        "4 single evaluations, which are of different test images"
    ]
    assert report.wins == {}
    (tmp_path / "b/run.json").write_text("{}")
    shutil.rmtree(tmp_path / "c")
    assert {row["problem"] for row in run(CompareConfig(src=tmp_path)).rows} == {""}


def test_the_imbalance_is_that_of_the_imbalanced_copy(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_results(out, {"plain": [[0.5]], "decoded": [[0.5]]})

    def nothing_real(found: dict[str, Any]) -> None:
        for row in found["tests"]["test"]["per_class"].values():
            row["trained"] = 0

    change(out / "trials/set 0/x/decoded/0.json", nothing_real)
    run(CompareConfig(src=out, out=tmp_path / "tables"))
    lines = lines_of(tmp_path / "tables/results.csv")
    assert [(line["rho"], line["mu"]) for line in lines] == [("4.5", "0.5")] * 2
    assert [float(line["rarest_recall"]) for line in lines] == pytest.approx([0.8, 0.8])


def test_of_several_rarest_classes_the_mean_recall_counts(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "few", 0.5, {"a": 9, "b": 2, "c": 5, "d": 2})  # 0.9, 0.8, 0.7, 0.6
    write_evaluation(tmp_path / "one", 0.5, {"a": 9, "b": 3, "c": 5, "d": 2})
    report = run(CompareConfig(src=tmp_path, metric="rarest_recall"))
    recalls = [row["rarest_recall"] for row in report.rows]
    assert recalls == pytest.approx([0.7, 0.6])
    assert report.wins == {"few": {"one": 1}, "one": {"few": 0}}


@pytest.mark.parametrize("name", ["a|b", "a\\|b", "*a*", "<b>", "`a`", "caf\udce9", "a\nb", "$x_1"])
def test_any_name_stays_in_its_field(tmp_path: Path, name: str) -> None:
    write_evaluation(tmp_path / "src" / name, 0.5, {"a": 2, "b": 1})
    run(CompareConfig(src=tmp_path / "src", out=tmp_path / "tables"))
    text = (tmp_path / "tables/tables.md").read_text()
    (line,) = [line for line in text.splitlines() if "50.00" in line]
    cells = line.replace(r"\\", "").replace(r"\|", "").count("|")
    assert cells == text.splitlines()[2].count("|")
    assert "[40.0, 60.0]" in line


def test_of_equal_scores_none_is_the_best(tmp_path: Path) -> None:
    write_results(tmp_path, {"plain": [[0.1] * 3], "AOS": [[0.1]]})
    report = run(CompareConfig(src=tmp_path))
    assert not any(row["best"] for row in report.rows)
    assert report.wins == {"plain": {"AOS": 0}, "AOS": {"plain": 0}}


def test_without_a_text_the_numbers_are_written_and_returned_as_data(tmp_path: Path) -> None:
    acsa = {"plain": [[0.6, 0.6], [0.5]], "AOS": [[0.5, 0.5, 1.0], [0.6]]}
    write_results(tmp_path / "out", acsa)
    write_evaluation(tmp_path / "out/one", 0.5, {"a": 2, "b": 1})
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {
        "results.csv", "summary.csv", "wins.csv", "spreads.png", "run.json",
    }  # fmt: skip
    assert [found["reason"] for found in report.compared["excluded"]] == [
        "no problem named",
        "seed not common",
    ]
    assert report.compared["excluded"][0]["results"] == 1
    assert report.compared["excluded"][1] == {
        "reason": "seed not common", "problem": "set 0, x", "methods": ("plain",), "seeds": (2,),
        "results": 0,
    }  # fmt: skip


def test_a_text_that_cannot_be_made_leaves_no_folder(tmp_path: Path) -> None:
    write_results(tmp_path / "out", CLEAR)

    def fail(report: compare.Report) -> str:
        raise RuntimeError(report.metric)

    with pytest.raises(RuntimeError, match="acsa"):
        compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "new"), as_text=fail)
    assert not (tmp_path / "new").exists()


def test_experiments_of_older_versions_give_the_same_tables(tmp_path: Path) -> None:
    write_results(tmp_path / "new", CLEAR)
    write_results(tmp_path / "old", CLEAR)
    make_older(tmp_path / "old")
    assert not (tmp_path / "old/trials").exists()
    for name in ("new", "old"):
        run(CompareConfig(src=tmp_path / name, out=tmp_path / f"{name} tables"))
    tables = contents(tmp_path / "new tables"), contents(tmp_path / "old tables")
    assert {**tables[0], "run.json": b""} == {**tables[1], "run.json": b""}


def test_pretrained_networks_have_tables_of_their_own(tmp_path: Path) -> None:
    """Among the trials of an experiment, and among single evaluations."""
    write_results(tmp_path / "out", CLEAR)
    for path in (tmp_path / "out/trials").glob("*/x/AOS/*.json"):
        change(path, lambda found: found["tests"]["test"].update(pretrained="0" * 64))
    report = run(CompareConfig(src=tmp_path / "out"))
    problems = {row["problem"] for row in report.rows}
    assert problems == {f"set {i}, x{own}" for i in range(3) for own in ("", ", pretrained")}
    assert all(row["best"] for row in report.rows if row["method"] == "ROS" and row["acsa"] < 0.65)
    assert set(report.wins) == {"plain", "ROS"}
    assert report.compared["left_out"] == ["6 results of pretrained networks"]

    for name in ("one", "two"):
        write_evaluation(tmp_path / "single" / name, 0.5, {"a": 9, "b": 2})
    change(tmp_path / "single/two/metrics.json", lambda found: found.update(pretrained="0" * 64))
    report = run(CompareConfig(src=tmp_path / "single"))
    assert [(row["problem"], row["method"]) for row in report.rows] == [
        ("", "one"), ("pretrained", "two"),
    ]  # fmt: skip
