from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imbsynth.configs import EvaluateConfig, PredictConfig
from imbsynth.engine import evaluate, predict
from imbsynth.engine.events import Event, Started
from imbsynth.engine.inference.classifier import Seen, classifier_checkpoint
from imbsynth.engine.inference.decisions import Fitted
from imbsynth.errors import UserError
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from tests.conftest import MakeFolder, contents

COUNTS = {"few": 4, "many": 12, "rare": 2}
DIGEST = "0" * 64  # of no file
SMALL = ImageShape(1, 8, 8)


def write_classifier(path: Path, fitted: Fitted, shape: ImageShape = SMALL) -> Path:
    """A checkpoint of a classifier with random weights, which says something of each class."""
    model = Classifier("cnn", shape, len(COUNTS)).eval()
    meta = {"counts": list(COUNTS.items()), "best_epoch": 1, "epochs": 1, **fitted.meta()}
    save_checkpoint(
        path, classifier_checkpoint(dict(model.state_dict()), model, Seen({DIGEST}, {DIGEST}), meta)
    )
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_classifier(tmp_path / "clf.safetensors", Fitted(0.5, 2.0, {}))


def config(checkpoint: Path, src: Any, out: Path, **options: Any) -> PredictConfig:
    return PredictConfig(checkpoint=checkpoint, src=src, out=out, device="cpu", **options)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with open(folder / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_are_those_of_evaluate(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({name: 5 for name in COUNTS})
    report = predict.run(config(checkpoint, src, tmp_path / "out", batch_size=4))
    evaluate.run(
        EvaluateConfig(checkpoint=checkpoint, src=src, out=tmp_path / "e", device="cpu", draws=100)
    )
    found, expected = rows_of(tmp_path / "out"), rows_of(tmp_path / "e")
    assert [row["file"] for row in found] == [row["file"] for row in expected]
    assert [row["class"] for row in found] == [row["predicted"] for row in expected]
    columns = [f"p({name})" for name in COUNTS]
    shares = np.array([[float(row[column]) for column in columns] for row in found])
    theirs = np.array([[float(row[column]) for column in columns] for row in expected])
    np.testing.assert_allclose(shares, theirs, atol=1e-6)  # batches of other sizes
    highest = np.sort(shares, 1)
    margins = [float(row["margin"]) for row in found]
    np.testing.assert_allclose(margins, highest[:, -1] - highest[:, -2], atol=1e-6)
    assert sum(report.counts.values()) == report.images == 15


def test_a_line_of_json_per_image_says_the_same(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    predict.run(config(checkpoint, make_folder({"a": 3}), tmp_path / "out"))
    lines = (tmp_path / "out/predictions.jsonl").read_text().splitlines()
    for line, row in zip(map(json.loads, lines), rows_of(tmp_path / "out"), strict=True):
        assert (line["file"], line["class"]) == (row["file"], row["class"])
        assert line["margin"] == pytest.approx(float(row["margin"]), rel=1e-6)
        assert line["probabilities"].keys() == COUNTS.keys()


def test_images_may_lie_anywhere_below_the_folder(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"x/y": 2, "z": 1})
    (src / "z/000.png").rename(src / "loose.png")
    (src / ".hidden.png").write_bytes(b"")
    predict.run(config(checkpoint, src, tmp_path / "out"))
    files = [row["file"] for row in rows_of(tmp_path / "out")]
    assert files == ["loose.png", "x/y/000.png", "x/y/001.png"]


def test_files_are_named_from_the_folder_that_has_them_all(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 2, "b": 2})
    chosen = [src / "b/001.png", src / "a/000.png", src / "a/000.png"]
    report = predict.run(config(checkpoint, chosen, tmp_path / "out", sort_into=tmp_path / "s"))
    assert [row["file"] for row in rows_of(tmp_path / "out")] == ["a/000.png", "b/001.png"]
    assert report.images == 2
    assert str(tmp_path) not in (tmp_path / "out/run.json").read_text()
    predict.run(config(checkpoint, str(src / "a/000.png"), tmp_path / "one"))
    assert [row["file"] for row in rows_of(tmp_path / "one")] == ["000.png"]


@pytest.mark.parametrize("link", ["symbolic", "hard", "copy"])
def test_files_are_sorted_by_predicted_class(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path, link: Any
) -> None:
    src = make_folder({"a": 6})
    into = tmp_path / "by class"
    report = predict.run(config(checkpoint, src, tmp_path / "out", sort_into=into, link=link))
    for row in rows_of(tmp_path / "out"):
        placed = into / row["class"] / row["file"]
        assert placed.read_bytes() == (src / row["file"]).read_bytes()
        assert placed.is_symlink() == (link == "symbolic")
    assert {path.name for path in into.iterdir()} == {
        "run.json", *(name for name, n in report.counts.items() if n)
    }  # fmt: skip


def test_a_file_that_changes_after_it_was_classified_stops_the_sorting(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = make_folder({"a": 6})

    def show_and_change(*_: object) -> None:
        (src / "a/005.png").write_bytes(b"another file")

    monkeypatch.setattr(predict._Outputs, "_show", show_and_change)
    with pytest.raises(UserError, match=r"a/005\.png: changed while it was being used"):
        predict.run(config(checkpoint, src, tmp_path / "out", sort_into=tmp_path / "by class"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "by class").exists()


def test_a_checkpoint_that_is_replaced_meanwhile_stops_it(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    def replace(event: Event) -> None:
        if isinstance(event, Started) and event.task == "classifying":
            checkpoint.write_bytes(checkpoint.read_bytes() + b"\0")

    with pytest.raises(UserError, match=r"clf\.safetensors: changed while it was being used"):
        predict.run(config(checkpoint, make_folder({"a": 3}), tmp_path / "out"), on_event=replace)
    assert not (tmp_path / "out").exists()


def test_thresholds_of_the_checkpoint_decide(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 8})
    plain = write_classifier(tmp_path / "p.safetensors", Fitted(0, 1, {}))
    predict.run(config(plain, src, tmp_path / "plain"))
    shares = [float(row["p(rare)"]) for row in rows_of(tmp_path / "plain")]
    middle = float(np.median(shares))
    predict.run(config(with_threshold(plain, middle), src, tmp_path / "out"))
    called = [row["class"] == "rare" for row in rows_of(tmp_path / "out")]
    assert called == [share >= middle for share in shares]
    assert 0 < sum(called) < 8


def with_threshold(checkpoint: Path, threshold: float) -> Path:
    """The same classifier with a threshold for the class "rare"."""
    stored = load_checkpoint(checkpoint, "aos-train")
    out = checkpoint.with_name("threshold.safetensors")
    meta = {**stored.meta, **Fitted(0, 1, {"rare": threshold}).meta()}
    save_checkpoint(out, Checkpoint(stored.tensors, meta))
    return out


def test_the_sheets_show_the_classes_that_were_predicted(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 9})
    report = predict.run(config(checkpoint, src, tmp_path / "out"))
    for name in ("least_certain.png", "most_certain.png"):
        with Image.open(tmp_path / "out" / name) as image:
            predicted = sum(n > 0 for n in report.counts.values())
            assert image.height > 56 * predicted  # a row of pictures for each


def test_equal_runs_write_equal_bytes(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 4})
    for name in ("one", "two"):
        predict.run(config(checkpoint, src, tmp_path / name))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    """tracemalloc sees the pixels of Pillow and numpy: 12 KiB per image here."""
    shape = ImageShape(3, 64, 64)
    checkpoint = write_classifier(tmp_path / "c.safetensors", Fitted(0, 1, {}), shape)
    peaks = []
    for images in (100, 400):
        src = tmp_path / f"src {images}"
        src.mkdir()
        for i in range(images):
            Image.new("RGB", (64, 64), (i % 256, i // 2, 7)).save(src / f"{i:04d}.png")
        tracemalloc.start()
        predict.run(config(checkpoint, src, tmp_path / f"out {images}", batch_size=10))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 300 more images are 3.6 MiB of pixels; names make some KiB
    assert peaks[1] - peaks[0] < 1_000_000


def test_unreadable_files_stop_it_or_are_left_out(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 3})
    (src / "a/001.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"1 unreadable file: a/001\.png"):
        predict.run(config(checkpoint, src, tmp_path / "out", sort_into=tmp_path / "s"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "s").exists()
    report = predict.run(config(checkpoint, src, tmp_path / "out", skip_unreadable=True))
    assert (report.images, report.skipped) == (2, ["a/001.png"])
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["left_out"]["src"]["unreadable"] == ["a/001.png"]
    with pytest.raises(UserError, match="none of the images can be read"):
        predict.run(config(checkpoint, src / "a/001.png", tmp_path / "x", skip_unreadable=True))


def test_what_is_no_folder_and_no_file_is_refused(
    checkpoint: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 2})
    (tmp_path / "empty").mkdir()
    for given, problem in (
        (tmp_path / "nowhere", "nowhere: no such folder"),
        (tmp_path / "empty", "no images in this folder"),
        ([src / "a/000.png", src], "not files: .*src"),
        ([src / "a/000.png", src / "a/9.png"], r"not files: .*a/9\.png"),
    ):
        with pytest.raises(UserError, match=problem):
            predict.run(config(checkpoint, given, tmp_path / "out"))
    (src / "pipe.png").symlink_to(src / "gone.png")
    with pytest.raises(UserError, match=r"not regular files: pipe\.png"):
        predict.run(config(checkpoint, src, tmp_path / "out"))
    with pytest.raises(UserError, match=r" lies in | holds "):
        predict.run(config(checkpoint, src, src / "out"))
    with pytest.raises(UserError, match=r" lies in | holds "):
        predict.run(config(checkpoint, src, tmp_path / "o", sort_into=tmp_path / "o/s"))
