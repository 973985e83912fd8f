from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn import metrics as reference

from imbsynth.cli.markdown import markdown
from imbsynth.configs import AosTrainConfig, CompareConfig, EvaluateConfig, GenerateConfig
from imbsynth.engine import aos_train, compare, evaluate, generate
from imbsynth.engine.events import Event, Note, Started
from imbsynth.errors import UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from tests.conftest import MakeFolder, contents


@pytest.fixture
def checkpoint(make_folder: MakeFolder, tmp_path: Path) -> Path:
    """A classifier of two classes that has seen little."""
    src = make_folder({"few": 4, "many": 12}, name="train")
    out = tmp_path / "clf.safetensors"
    settings = AosTrainConfig(src=src, out=out, epochs=2, batch_size=8, device="cpu")
    aos_train.run(settings)
    return out


@pytest.fixture
def test_folder(make_folder: MakeFolder) -> Path:
    """Images that it has not seen."""
    return make_folder({"few": 9, "many": 14}, name="test", first=100)


def config(checkpoint: Path, src: Path, **options: Any) -> EvaluateConfig:
    return EvaluateConfig(checkpoint=checkpoint, src=src, device="cpu", draws=200, **options)


def test_every_number_follows_from_the_predictions(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    report = evaluate.run(config(checkpoint, test_folder, out=tmp_path / "out"))
    with open(tmp_path / "out/predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    true, predicted = ([row[column] for row in rows] for column in ("true", "predicted"))
    assert [row["file"].split("/")[0] for row in rows] == true
    found = np.array([[float(row["p(few)"]), float(row["p(many)"])] for row in rows])
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert [["few", "many"][k] for k in found.argmax(1)] == predicted
    assert report.confusion == reference.confusion_matrix(true, predicted).tolist()
    assert report.acsa == pytest.approx(reference.balanced_accuracy_score(true, predicted))
    area = reference.roc_auc_score(np.array(true) == "many", found[:, 1])
    assert report.auroc_macro == pytest.approx(area, abs=1e-6)
    assert report.per_class["few"]["support"] == 9
    assert report.per_class["few"]["trained"] == 3
    assert report.ece == pytest.approx(abs_error(found, np.array(true) == "many"), abs=1e-6)
    brier = reference.brier_score_loss(np.array(true) == "many", found[:, 1], scale_by_half=False)
    assert report.brier == pytest.approx(brier, abs=1e-6)
    for score, (low, high) in report.intervals.items():
        assert low <= getattr(report, score) <= high


def abs_error(found: NDArray[np.float64], many: NDArray[np.bool_]) -> float:
    """The expected calibration error of two classes, from its definition."""
    sure, right = found.max(1), found.argmax(1) == many
    edges = np.linspace(0, 1, 16)
    bins = [(sure > low) & (sure <= high) for low, high in pairwise(edges)]
    return sum(abs(right[b].mean() - sure[b].mean()) * b.mean() for b in bins if b.any())


def test_pictures_of_calibration_precision_and_mistakes_are_written(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    evaluate.run(config(checkpoint, test_folder, out=tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "confusion.png", "metrics.json", "mistakes.png", "precision_recall.png",
        "predictions.csv", "reliability.png", "run.json",
    ]  # fmt: skip


def test_what_speaks_for_the_worst_mistakes_is_drawn_if_asked_for(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    plain = evaluate.run(config(checkpoint, test_folder, out=tmp_path / "plain"))
    report = evaluate.run(config(checkpoint, test_folder, out=tmp_path / "out", saliency=True))
    assert replace(report, out=plain.out) == plain
    one, other = contents(tmp_path / "plain"), contents(tmp_path / "out")
    assert {name for name in other if one.get(name) != other[name]} == {"run.json", "saliency.png"}
    with Image.open(tmp_path / "out/saliency.png") as sheet:
        assert sheet.width > 3 * 56


def test_saliency_needs_a_package_and_a_folder_to_write_to(
    checkpoint: Path, test_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="give out, or leave out saliency"):
        config(checkpoint, test_folder, saliency=True)
    monkeypatch.setattr("imbsynth.extras.find_spec", lambda name: None)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"pip install imbsynth\[saliency\]"):
        evaluate.run(config(checkpoint, test_folder, out=tmp_path / "out", saliency=True))
    assert contents(tmp_path) == before


def with_fitted(checkpoint: Path, fitted: dict[str, Any]) -> Path:
    """The same classifier with other values fitted to its validation images."""
    stored = load_checkpoint(checkpoint, "aos-train")
    meta = {**stored.meta, "fitted": fitted}
    out = checkpoint.with_name("fitted.safetensors")
    save_checkpoint(out, Checkpoint(stored.tensors, meta))
    return out


FITTED = {"tau": 0.5, "temperature": 2.0, "thresholds": [["few", 0.25]]}


def columns(folder: Path) -> tuple[NDArray[np.float64], list[str]]:
    """The probabilities and the predicted classes of predictions.csv."""
    with open(folder / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = [[float(row["p(few)"]), float(row["p(many)"])] for row in rows]
    return np.array(shares), [row["predicted"] for row in rows]


def test_tau_and_temperature_of_the_checkpoint_change_the_probabilities(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    fitted = with_fitted(checkpoint, FITTED | {"thresholds": []})
    evaluate.run(config(fitted, test_folder, out=tmp_path / "plain"))
    auto = config(fitted, test_folder, out=tmp_path / "out", tau="auto", temperature="auto")
    report = evaluate.run(auto)
    assert (report.tau, report.temperature) == (0.25, 2)  # the same decisions as of 0.5 and 1
    logits = np.log(columns(tmp_path / "plain")[0])
    expected = np.exp(logits / 2) / (np.array([3, 10]) / 13) ** 0.25
    shares, predicted = columns(tmp_path / "out")
    np.testing.assert_allclose(shares, expected / expected.sum(1, keepdims=True), atol=1e-5)
    assert predicted == [["few", "many"][k] for k in shares.argmax(1)]


def test_thresholds_of_the_checkpoint_decide_unless_they_are_to_be_ignored(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    evaluate.run(config(checkpoint, test_folder, out=tmp_path / "plain"))
    shares, likeliest = columns(tmp_path / "plain")
    # Half reach it, whatever the classifier says, and none is at it: in bf16, images share values.
    values = np.unique(shares[:, 0])
    middle = float(values[len(values) // 2 - 1 : len(values) // 2 + 1].mean())
    fitted = with_fitted(checkpoint, FITTED | {"thresholds": [["few", middle]]})
    report = evaluate.run(config(fitted, test_folder, out=tmp_path / "out", temperature=5.0))
    called = columns(tmp_path / "out")[1]
    assert called == [["many", "few"][int(share >= middle)] for share in shares[:, 0]]
    assert 0 < called.count("few") < len(called)
    assert report.thresholds == {"few": middle}
    evaluate.run(config(fitted, test_folder, out=tmp_path / "i", ignore_thresholds=True))
    assert columns(tmp_path / "i")[1] == likeliest


def test_equal_runs_write_equal_bytes(checkpoint: Path, test_folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        evaluate.run(config(checkpoint, test_folder, out=tmp_path / name))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    scores = json.loads((tmp_path / "one/metrics.json").read_text())
    assert "out" not in scores
    assert scores["images"] == 23


def test_images_of_another_size_are_resized(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"few": 3, "many": 3}, name="large", size=(20, 20))
    assert evaluate.run(config(checkpoint, src)).images == 6


def test_a_class_with_few_images_to_judge_by_is_named(
    checkpoint: Path, make_folder: MakeFolder
) -> None:
    events: list[object] = []
    src = make_folder({"few": 3, "many": 12}, name="unseen", first=200)
    evaluate.run(config(checkpoint, src), on_event=events.append)
    (note,) = (event.text for event in events if isinstance(event, Note))
    assert "only 3 images of class few: each moves its recall by 1/3" in note


def test_what_was_trained_on_or_validated_on_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    problem = "of its 16 images, 13 trained on .* 3 used for validation"
    with pytest.raises(UserError, match=problem):
        evaluate.run(config(checkpoint, tmp_path / "train", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert evaluate.run(config(checkpoint, tmp_path / "train", allow_overlap=True)).images == 16


def test_synthetic_images_are_refused(checkpoint: Path, test_folder: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=test_folder, dst=tmp_path / "made"))
    with pytest.raises(UserError, match="of its 28 images, 5 synthetic"):
        evaluate.run(config(checkpoint, tmp_path / "made"))
    (tmp_path / "made/manifest.jsonl").unlink()  # their names still tell
    with pytest.raises(UserError, match="of its 28 images, 5 synthetic"):
        evaluate.run(config(checkpoint, tmp_path / "made"))


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ({"few": 3}, "no images of class many"),
        ({"few": 3, "many": 3, "other": 2}, "class other is none of the classifier's"),
    ],
)
def test_other_classes_get_a_clear_answer(
    checkpoint: Path, make_folder: MakeFolder, classes: dict[str, int], problem: str
) -> None:
    src = make_folder(classes, name="odd", size=(9, 9))
    with pytest.raises(UserError, match=problem):
        evaluate.run(config(checkpoint, src))


def test_evaluations_are_put_side_by_side(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    for name in ("aos", "deep/ros"):
        report = evaluate.run(config(checkpoint, test_folder, out=results / name))
    rows = compare.run(CompareConfig(src=results)).rows
    assert [row["method"] for row in rows] == ["aos", "deep/ros"]
    assert rows[0]["acsa"] == report.acsa
    assert rows[0]["rarest_recall"] == report.per_class["few"]["recall"]
    assert rows[0]["intervals"]["acsa"] == report.intervals["acsa"]


def test_a_checkpoint_that_is_replaced_meanwhile_stops_the_command(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    def replace(event: Event) -> None:
        if isinstance(event, Started) and event.task == "classifying":
            other = tmp_path / "other"
            other.write_bytes(checkpoint.read_bytes() + b"\0")
            other.replace(checkpoint)

    with pytest.raises(UserError, match=r"clf\.safetensors: changed while it was being used"):
        evaluate.run(config(checkpoint, test_folder, out=tmp_path / "out"), on_event=replace)
    assert not (tmp_path / "out").exists()


def test_scores_on_images_that_were_trained_on_are_marked(
    checkpoint: Path, test_folder: Path, tmp_path: Path
) -> None:
    results, tables = tmp_path / "results", tmp_path / "tables"
    evaluate.run(config(checkpoint, test_folder, out=results / "clean"))
    seen = config(checkpoint, tmp_path / "train", out=results / "seen", allow_overlap=True)
    evaluate.run(seen)
    written = json.loads((results / "seen/metrics.json").read_text())
    assert written["overlap"] == {"trained on": 13, "used for validation": 3}
    report = compare.run(CompareConfig(src=results, out=tables), as_text=markdown)
    assert {row["method"]: row["overlap"] for row in report.rows} == {"clean": 0, "seen": 16}
    text = (tables / "tables.md").read_text()
    assert "| seen [overlap] |" in text
    assert "| clean |" in text
    assert "[overlap] not scores on new images" in text
    for name in ("results.csv", "summary.csv"):
        with open(tables / name, newline="") as file:
            found = {row["method"]: row["overlap"] for row in csv.DictReader(file)}
        assert found == {"clean": "0", "seen": "16"}


def test_compare_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results in this folder or below it"):
        compare.run(CompareConfig(src=tmp_path))
    (tmp_path / "metrics.json").write_text("[1]")
    with pytest.raises(UserError, match="not a JSON object"):
        compare.run(CompareConfig(src=tmp_path))
    (tmp_path / "metrics.json").write_text('{"acsa": 1}')
    with pytest.raises(UserError, match="not written by `imbsynth evaluate`"):
        compare.run(CompareConfig(src=tmp_path))
