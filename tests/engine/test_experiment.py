from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from imbsynth.configs import CompareConfig, ExperimentConfig
from imbsynth.engine import compare, experiment
from imbsynth.engine.studies.protocols import Cell, parse_protocol, read_protocol
from imbsynth.engine.studies.results import METRIC_NAMES, read_results, wins
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, contents

PROJECT = Path(__file__).parent.parent.parent
TINY: dict[str, Any] = {
    "data": {"bars": {"train": "train", "test": "test"}},
    "imbalance": {"as is": {}, "linear": {"profile": "linear", "ratio": 2}},
    "seeds": [1],
    "train": {"epochs": 1, "batch-size": 8},
    "train-ae": {"epochs": 1, "latent-dim": 4, "batch-size": 8},
    "methods": {
        "plain": {"train": {"oversample": "none"}},
        "AOS": {},
        "DeepSMOTE": {"train-ae": {}, "train": {"oversample": "none"}},
    },
}


@pytest.fixture
def root(make_folder: MakeFolder) -> Path:
    """Folders `train` and `test` of two classes, which share no file."""
    train = make_folder({"a": 12, "b": 8}, name="train")
    for path in make_folder({"a": 4, "b": 4}, name="test").rglob("*.png"):
        path.write_bytes(path.read_bytes() + b"\0")
    return train.parent


def config(root: Path, protocol: dict[str, Any] = TINY, **options: Any) -> ExperimentConfig:
    file = root / "protocol.yaml"
    file.write_text(yaml.safe_dump(protocol, sort_keys=False))
    settings: dict[str, Any] = {"data": root, "out": root / "out", "device": "cpu"}
    return ExperimentConfig(protocol=file, **settings | options)


def test_every_cell_is_run_once(root: Path) -> None:
    report = experiment.run(config(root))
    assert list(report.cells.values()) == ["made now"] * 6
    before = contents(root / "out")
    report = experiment.run(config(root))
    assert list(report.cells.values()) == ["done"] * 6
    assert contents(root / "out") == before
    result = json.loads((root / "out/cells/bars/linear/AOS/1.json").read_text())
    assert result["cell"] == {"data": "bars", "imbalance": "linear", "method": "AOS", "seed": 1}
    assert result["tests"]["test"]["images"] == 8
    assert result["cut"] == {"counts": {"a": 12, "b": 6}, "rho": 2.0, "mu": 0.5}


def test_a_dry_run_writes_nothing(root: Path) -> None:
    report = experiment.run(config(root, dry_run=True))
    assert list(report.cells.values()) == ["to do"] * 6
    assert not (root / "out").exists()


def test_shards_share_the_grid_at_the_same_time(root: Path) -> None:
    one = {**TINY, "imbalance": {"as is": {}}, "seeds": [0]}
    file = config(root, one).protocol
    command = [sys.executable, "-m", "imbsynth", "experiment", str(file), "--data", str(root)]
    command += ["--out", str(root / "out"), "--json", "--quiet"]
    shards = [
        subprocess.Popen([*command, "--shard", f"{i}/2"], stdout=subprocess.PIPE) for i in (1, 2)
    ]
    found = [json.loads(shard.communicate()[0])["cells"] for shard in shards]
    assert [shard.returncode for shard in shards] == [0, 0]
    made = [name for cells in found for name, status in cells.items() if status == "made now"]
    assert sorted(made) == [f"bars/as is/{method}/0" for method in ("AOS", "DeepSMOTE", "plain")]


def test_folds_test_on_what_they_do_not_train_on(root: Path) -> None:
    folds = {
        **TINY,
        "data": {"bars": {"train": "train"}},
        "imbalance": {"as is": {}},
        "tests": {"balanced": {}, "cut": {"counts": "2,1"}},
        "methods": {"plain": {}},
        "folds": 4,
    }
    del folds["seeds"]
    report = experiment.run(config(root, folds))
    assert list(report.cells) == [f"bars/as is/plain/{seed}" for seed in range(4)]
    result = json.loads((root / "out/cells/bars/as is/plain/3.json").read_text())
    assert result["tests"]["balanced"]["images"] == 5
    assert result["tests"]["cut"]["images"] == 3
    rows = compare.run(CompareConfig(src=root / "out")).rows
    assert [row["problem"] for row in rows] == ["bars, as is, balanced", "bars, as is, cut"]
    assert rows[0]["seeds"] == 4


def write_results(
    out: Path, acsa: dict[str, list[list[float]]], largest: dict[str, int] | None = None
) -> None:
    """Results with the given ACSA by method, data set and seed; imbalances by the largest class."""
    names = []
    for method, sets in acsa.items():
        for i, values in enumerate(sets):
            for imbalance, images in (largest or {"x": 9}).items():
                for seed, value in enumerate(values):
                    cell: dict[str, Any] = {"data": f"set {i}", "imbalance": imbalance}
                    cell |= {"method": method, "seed": seed}
                    scores: dict[str, Any] = dict.fromkeys(METRIC_NAMES, 0.5) | {"acsa": value}
                    scores["intervals"] = {name: [0.4, 0.6] for name in METRIC_NAMES}
                    classes = {
                        "a": {"trained": images, "recall": 0.9},
                        "b": {"trained": 2, "recall": 0.1},
                    }
                    scores["per_class"] = classes
                    names.append(f"set {i}/{imbalance}/{method}/{seed}")
                    path = out / "cells" / f"{names[-1]}.json"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps({"cell": cell, "tests": {"test": scores}}))
    (out / "protocol.json").write_text(json.dumps({"cells": names}))


def test_tables_come_from_the_results_alone(tmp_path: Path) -> None:
    acsa = {
        "plain": [[0.50, 0.52], [0.60, 0.60], [0.7, 0.7]],
        "ROS": [[0.60, 0.62], [0.70, 0.70], [0.65, 0.65]],
        "AOS": [[0.70, 0.76], [0.80, 0.80], [0.9, 0.9]],
    }
    write_results(tmp_path / "out", acsa)
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "tables"))
    row = next(r for r in report.rows if (r["problem"], r["method"]) == ("set 0, x", "AOS"))
    assert (row["acsa"], row["seeds"]) == (pytest.approx(0.73), 2)
    assert row["acsa_spread"] == pytest.approx(0.06 / 2**0.5)
    assert row["rarest_recall"] == 0.1
    assert report.wins == {
        "plain": {"ROS": 1, "AOS": 0},
        "ROS": {"plain": 2, "AOS": 0},
        "AOS": {"plain": 3, "ROS": 3},
    }
    # Ranks 3 2 1, 3 2 1, 2 3 1: chi^2 = 12 / (3 * 3 * 4) * (8^2 + 7^2 + 3^2) - 3 * 3 * 4 = 14 / 3.
    assert report.friedman == pytest.approx(np.exp(-14 / 6))
    for pair in report.pairs:
        chances = [pair[name] for name in ("first_better", "alike", "second_better")]
        assert sum(chances) == pytest.approx(1)
    text = (tmp_path / "tables/tables.md").read_text()
    assert "| set 0, x | 51.00 ± 1.41 | 61.00 ± 1.41 | **73.00** ± 4.24 |" in text
    assert "| AOS | 3/0 | 3/0 | - |" in text
    assert len((tmp_path / "tables/results.csv").read_text().splitlines()) == 1 + 18
    assert (tmp_path / "tables/spreads.png").stat().st_size > 0


def test_the_imbalance_comes_from_the_cut_or_from_what_was_trained_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_results(out, {"old": [[0.5, 0.5]], "new": [[0.5, 0.5]], "decoded": [[0.5, 0.5]]})
    cut = out / "cells/set 0/x/new/1.json"
    found = json.loads(cut.read_text()) | {"cut": {"counts": {"a": 30, "b": 6}}}
    cut.write_text(json.dumps(found))
    for seed in (0, 1):  # the class with the fewest images is not known from this file alone
        decoded = out / f"cells/set 0/x/decoded/{seed}.json"
        found = json.loads(decoded.read_text())
        for scores in found["tests"]["test"]["per_class"].values():
            scores["trained"] = 0
        decoded.write_text(json.dumps(found))
    results = {(result.method, result.seed): result for result in read_results(out)}
    assert [results[name].rho for name in (("old", 0), ("decoded", 0))] == [4.5, 4.5]
    assert {results[name, 1].rho for name in ("old", "new", "decoded")} == {5.0}
    assert {result.scores["rarest_recall"] for result in results.values()} == {0.1}
    compare.run(CompareConfig(src=out, out=tmp_path / "tables"))
    lines = (tmp_path / "tables/results.csv").read_text().splitlines()
    header, first, *_ = csv.reader(lines)
    assert dict(zip(header, first, strict=True))["rho"] == "4.5"


def test_wins_by_hand() -> None:
    values = np.array([[3.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    assert wins(values).tolist() == [[0, 1, 1], [1, 0, 0], [1, 1, 0]]


PLAIN: dict[str, Any] = {**TINY, "imbalance": {"as is": {}}, "methods": {"plain": {}}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"train": {"epochs": 2, "batch-size": 8}}, "with aos-train epochs 1, not 2"),
        ({"methods": {"plain": {"train": {"tau": 0.1}}}}, "with aos-train tau 0.8, not 0.1"),
        ({"methods": {"plain": {"generate": {}}}}, "without generate"),
        ({"imbalance": {"as is": {"counts": "4,4"}}}, "without imbalance"),
        ({"tests": {"test": {"counts": "2,2"}}}, "without tests test"),
        ({"val-fraction": 0.3}, "with val-fraction 0.2, not 0.3"),
    ],
)
def test_results_of_other_options_are_kept_and_named(
    root: Path, change: dict[str, Any], problem: str
) -> None:
    experiment.run(config(root, PLAIN))
    before = contents(root / "out")
    with pytest.raises(UserError, match=r"plain/1\.json was made ") as caught:
        experiment.run(config(root, {**PLAIN, **change}))
    assert problem in caught.value.problem
    assert contents(root / "out") == before


@pytest.mark.parametrize("part", ["train", "test"])
def test_results_of_other_images_are_kept_and_named(root: Path, part: str) -> None:
    experiment.run(config(root, PLAIN))
    path = next((root / part).rglob("*.png"))
    path.write_bytes(path.read_bytes() + b"\0")
    expected = "from other images" if part == "train" else "from other test-images"
    with pytest.raises(UserError, match=expected):
        experiment.run(config(root, PLAIN, dry_run=True))


def test_a_cell_with_other_options_is_made_anew_once_its_file_is_gone(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    file = root / "out/cells/bars/as is/plain/1.json"
    first = json.loads(file.read_text())
    file.unlink()
    longer = {**PLAIN, "train": {"epochs": 2, "batch-size": 8}}
    assert list(experiment.run(config(root, longer)).cells.values()) == ["made now"]
    second = json.loads(file.read_text())
    assert (first["training"]["epochs"], second["training"]["epochs"]) == (1, 2)
    assert second["recipe"]["aos_train"]["epochs"] == 2
    assert second["recipe"]["aos_train"]["epsilon"] == 0.02  # by default, and written down


def test_a_grid_may_grow(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    report = experiment.run(config(root, {**PLAIN, "seeds": [1, 2]}))
    assert list(report.cells.values()) == ["done", "made now"]
    assert compare.run(CompareConfig(src=root / "out")).rows[0]["seeds"] == 2


def test_a_fold_count_that_did_not_fit_may_be_mended(root: Path) -> None:
    folds = {**PLAIN, "data": {"bars": {"train": "train"}}, "folds": 9, "seeds": [0]}
    with pytest.raises(UserError, match="class b"):
        experiment.run(config(root, folds))
    assert list(experiment.run(config(root, {**folds, "folds": 4})).cells.values()) == ["made now"]


def test_a_folder_of_something_else_is_left_alone(root: Path) -> None:
    (root / "out").mkdir()
    (root / "out/thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"out holds thesis\.txt, and no experiment"):
        experiment.run(config(root))
    with pytest.raises(UserError, match="and no experiment"):
        experiment.run(ExperimentConfig(on=root / "train", out=root / "out", device="cpu"))
    assert list(contents(root / "out")) == ["thesis.txt"]


def test_results_do_not_go_among_the_images(root: Path) -> None:
    before = contents(root / "train")
    with pytest.raises(UserError, match="lie in one another"):
        experiment.run(config(root, out=root / "train/a/out"))
    assert contents(root / "train") == before


def test_options_of_a_folder_are_refused_with_a_protocol(root: Path) -> None:
    with pytest.raises(UserError, match="--budget and --image-size go with --on"):
        config(root, budget="large")


def test_a_missing_data_set_is_said_before_anything_runs(root: Path) -> None:
    with pytest.raises(UserError, match="no such folder, which data set bars needs"):
        experiment.run(config(root, data=root / "nowhere"))
    assert not (root / "out").exists()


@pytest.mark.parametrize("path", sorted(PROJECT.glob("experiments/*.yaml")), ids=lambda p: p.name)
def test_the_protocols_that_come_along_are_read(path: Path) -> None:
    protocol = read_protocol(path)
    assert protocol.about
    assert len(list(protocol.cells())) > 8


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"metods": {}}, "unknown key metods"),
        ({"methods": {}}, "methods is no list of names"),
        ({"methods": {"../x": {}}}, "cannot be part of a file name"),
        ({"methods": {"..": {}}}, "cannot be part of a file name"),
        ({"imbalance": {".": {}}}, "cannot be part of a file name"),
        ({"methods": {"AOS": {}, "aos": {}}}, "must differ in more than their case"),
        ({"methods": {False: {}}}, "reads a name as False: put it in quotes"),
        ({"imbalance": {"a": {"counts-file": "counts.yaml"}}}, "no option 'counts-file'"),
        ({"methods": {"a": {"train": {"epsilon": 2}}}}, "--epsilon is 2"),
        ({"methods": {"a": {"train": {"epsilon": "far"}}}}, "epsilon is 'far', not of type float"),
        ({"methods": {"a": {"train": {"oversample": "aso"}}}}, "choose from aos, ros"),
        ({"methods": {"a": {"train": {"src": "x"}}}}, "no option 'src'"),
        ({"methods": {"a": {"training": {}}}}, "a has other keys"),
        ({"methods": {"a": {"per-imbalance": {"b": {}}}}}, "known are as is, linear"),
        ({"methods": {"a": {"per-imbalance": {"linear": {"tau": 2}}}}}, "--tau is 2"),
        ({"imbalance": {"a": {"profile": "exp"}}}, "--ratio goes with --profile"),
        ({"data": {"a": "train"}}, "a is not train and test"),
        ({"data": {"a": {"train": "x"}}}, "a needs train and test"),
        ({"folds": 1}, "folds is 1"),
        ({"seeds": [0, 0]}, "give each once"),
        ({"seeds": "0"}, "give a list"),
        ({"val-fraction": 1.5}, "val-fraction is 1.5"),
    ],
)
def test_a_wrong_protocol_is_named(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(yaml.safe_dump({**TINY, **change}))
    with pytest.raises(UserError, match=problem) as caught:
        read_protocol(file)
    assert "protocol.yaml" in caught.value.problem


@pytest.mark.parametrize("text", ["[1]", "a: [", "!!python/object/apply:os.system ['x']", "\xff"])
def test_what_is_no_protocol_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"protocol\.yaml"):
        read_protocol(file)


def test_a_method_may_be_told_apart_by_imbalance() -> None:
    own = {"train": {"tau": 0.6, "epochs": 2}, "per-imbalance": {"linear": {"tau": 0.4}}}
    protocol = parse_protocol({**TINY, "methods": {"AOS": own, "plain": {}}})
    train = {"epochs": 2, "batch_size": 8}
    assert protocol.methods["AOS"].training("as is") == {**train, "tau": 0.6}
    assert protocol.methods["AOS"].training("linear") == {**train, "tau": 0.4}


def test_a_protocol_may_be_described_anew(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    report = experiment.run(config(root, {**PLAIN, "about": "clearer"}))
    assert list(report.cells.values()) == ["done"]


def test_numbers_are_read_as_the_options_have_them() -> None:
    changed = {**TINY, "train": {"lr": "1e-3", "image-size": 32, "epochs": 3}}
    method = parse_protocol(changed).methods["AOS"]
    assert method.train == {"lr": 0.001, "image_size": "32", "epochs": 3}
    assert Cell("a", "b", "c", 1).name == "a/b/c/1"
