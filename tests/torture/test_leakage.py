"""Images that would flatter a score are found: by their bytes, their names, and the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.torture.bench import invoke
from tests.torture.corpus import plain_folder


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Two classes of different images."""
    return plain_folder(tmp_path / "src", images=8)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """The same drawings in other bytes, as if they were other images."""
    root = plain_folder(tmp_path / "others", images=8)
    for path in root.rglob("*.png"):
        path.write_bytes(path.read_bytes() + b"\0")
    return root


TINY = ["--epochs", 1, "--device", "cpu"]


def test_an_image_of_the_training_set_is_refused_in_validation_and_test(
    src: Path, others: Path, tmp_path: Path
) -> None:
    clf, held = tmp_path / "clf.safetensors", others / "odd/copy of another name.png"
    train = ["aos-train", src, "--out", clf, *TINY]
    shutil.copy(src / "plain/3.png", held)  # under another name, and even another label
    outcome = invoke(*train, "--val", others)
    assert outcome.code == 2
    assert f"1 of its images are also trained on: odd/{held.name}" in outcome.err
    held.unlink()
    assert invoke(*train, "--val", others).code == 0
    for taken, kind in ((src, "trained on"), (others, "used for validation")):
        outcome = invoke("evaluate", clf, taken)
        assert outcome.code == 2
        assert f"16 {kind}" in outcome.err


def test_synthetic_images_are_refused_in_validation_and_test(
    src: Path, others: Path, tmp_path: Path
) -> None:
    clf, made = tmp_path / "clf.safetensors", tmp_path / "made"
    assert invoke("generate", others, made, "--to", 9).code == 0
    outcome = invoke("aos-train", src, "--val", made, "--out", clf, *TINY)
    assert outcome.code == 2
    assert "holds synthetic images" in outcome.err
    assert invoke("aos-train", src, "--out", clf, *TINY).code == 0
    for manifest in (True, False):  # without it, their names tell
        if not manifest:
            (made / "manifest.jsonl").unlink()
        outcome = invoke("evaluate", clf, made)
        assert outcome.code == 2
        assert "2 synthetic (odd/synthetic-000001.png, plain/synth" in outcome.err


def test_one_image_under_two_labels_is_named(src: Path) -> None:
    shutil.copy(src / "odd/0.png", src / "plain/the same.png")
    found = json.loads(invoke("inspect", src, "--json").out)
    assert found["duplicates"] == [["odd/0.png", "plain/the same.png"]]


@pytest.mark.parametrize("way", [["--fractions", "0.5,0.25,0.25"], ["--folds", 3]])
def test_a_split_keeps_equal_files_together(tmp_path: Path, way: list[object]) -> None:
    src = plain_folder(tmp_path / "src", images=20)
    for number in range(4):
        shutil.copy(src / f"odd/{number}.png", src / f"odd/again {number}.png")
        shutil.copy(src / f"odd/{number}.png", src / f"plain/mislabelled {number}.png")
    outcome = invoke("split", src, tmp_path / "parts", *way)
    assert outcome.code == 0, outcome.err
    assert "kept together with others of the same bytes" in outcome.err
    groups = (
        [["train", "val", "test"]]
        if way[0] == "--fractions"
        else [[f"fold-{i}/train", f"fold-{i}/test"] for i in (1, 2, 3)]
    )
    for parts in groups:
        held = [
            {path.read_bytes() for path in (tmp_path / "parts" / part).rglob("*.png")}
            for part in parts
        ]
        assert sum(map(len, held)) == len(set.union(*held)) == 40


def test_a_split_of_one_image_in_many_files_says_so(tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src", images=1)
    for number in range(5):
        shutil.copy(src / "odd/0.png", src / f"odd/again {number}.png")
        shutil.copy(src / "plain/0.png", src / f"plain/again {number}.png")
    outcome = invoke("split", src, tmp_path / "parts")
    assert outcome.code == 2
    assert "too few different images in class odd, plain" in outcome.err
    assert not (tmp_path / "parts").exists()
