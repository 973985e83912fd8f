"""Images that would flatter a score are found: by their bytes, their names, and the manifest."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.torture.bench import invoke
from tests.torture.corpus import plain_folder


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Two classes of different images."""
    return plain_folder(tmp_path / "src", images=8)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Other images of the same classes."""
    root = plain_folder(tmp_path / "others", images=8)
    for path in root.rglob("*.png"):
        with Image.open(path) as image:
            ImageOps.invert(image.convert("L")).save(path)
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
    assert f"of its 17 images, 1 trained on (odd/{held.name})" in outcome.err
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
    assert "made holds synthetic images (it has a manifest.jsonl)" in outcome.err
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
    assert "kept together with others that show the same" in outcome.err
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


@pytest.mark.parametrize("command", ["split", "imbalance", "generate", "train-ae"])
@pytest.mark.parametrize("manifest", [True, False])
def test_commands_on_real_images_refuse_a_generated_folder(
    src: Path, tmp_path: Path, command: str, manifest: bool
) -> None:
    made, out = tmp_path / "made", tmp_path / "out"
    assert invoke("generate", src, made, "--to", 9).code == 0
    if not manifest:
        (made / "manifest.jsonl").unlink()
    options: dict[str, list[object]] = {
        "split": [out],
        "imbalance": [out, "--counts", "2,2"],
        "generate": [out],
        "train-ae": ["--out", tmp_path / "ae.safetensors"],
    }
    outcome = invoke(command, made, *options[command])
    assert outcome.code == 2
    assert "holds synthetic images" in outcome.err
    assert not out.exists()


def test_synthetic_images_that_lost_their_manifest_are_not_trained_on(
    src: Path, others: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    assert invoke("generate", src, made, "--to", 9).code == 0
    (made / "manifest.jsonl").unlink()
    for validation in ([], ["--val", others]):
        outcome = invoke("aos-train", made, "--out", tmp_path / "c.safetensors", *validation, *TINY)
        assert outcome.code == 2
        assert "no manifest.jsonl says what 2 synthetic images are made of" in outcome.err


def as_bitmaps(src: Path, dst: Path) -> Path:
    """The same pictures in another format."""
    for path in src.rglob("*.png"):
        target = dst / path.relative_to(src).with_suffix(".bmp")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.save(target)
    return dst


@pytest.mark.parametrize("method", ["smote", "ros"])
@pytest.mark.parametrize("bitmaps", [True, False])
def test_what_synthetic_images_are_made_of_is_refused_in_validation_and_test(
    src: Path, others: Path, tmp_path: Path, method: str, bitmaps: bool
) -> None:
    made, clf = tmp_path / "made", tmp_path / "clf.safetensors"
    # Real images of one folder, and synthetic ones made from the other, which is to test.
    args = ["--to", 100, "--method", method, "--synthetic-only"]
    assert invoke("generate", others, made, *args).code == 0
    for path in src.rglob("*.png"):
        shutil.copy(path, made / path.relative_to(src))
    test = as_bitmaps(others, tmp_path / "bitmaps") if bitmaps else others
    # SMOTE may by chance give the pixels of a parent, which then was trained on itself.
    parents = r"of its 16 images, (\d trained on .*; )?1\d a parent of synthetic images that were"
    reason = "of its 16 images, 16 trained on" if method == "ros" else parents
    train = ["aos-train", made, "--out", clf, *TINY]
    outcome = invoke(*train, "--val", test)
    assert outcome.code == 2
    assert re.search(reason, outcome.err)
    assert invoke(*train).code == 0  # on real images that are held out
    outcome = invoke("evaluate", clf, test)
    assert outcome.code == 2
    assert re.search(reason, outcome.err)
    counted = json.loads(invoke("evaluate", clf, test, "--allow-overlap", "--json").out)
    assert sum(counted["overlap"].values()) == counted["images"] == 16
    assert invoke(*train, "--val", test, "--allow-overlap", "--force").code == 0


def test_what_the_autoencoder_has_seen_is_refused(src: Path, others: Path, tmp_path: Path) -> None:
    ae, made, clf = (tmp_path / name for name in ("ae.safetensors", "made", "clf.safetensors"))
    train_ae = ["train-ae", others, "--out", ae, "--epochs", 1, "--latent-dim", 2]
    assert invoke(*train_ae, "--device", "cpu").code == 0
    assert invoke("generate", src, made, "--to", 9, "--ae", ae, "--device", "cpu").code == 0
    on_the_fly = ["aos-train", src, "--oversample", "smote", "--ae", ae]
    for train in (["aos-train", made], on_the_fly):
        outcome = invoke(*train, "--out", clf, *TINY, "--val", others, "--force")
        assert outcome.code == 2
        assert "of its 16 images, 16 seen by the autoencoder" in outcome.err
        assert invoke(*train, "--out", clf, *TINY, "--force").code == 0
        outcome = invoke("evaluate", clf, others)
        assert outcome.code == 2
        assert "of its 16 images, 16 seen by the autoencoder" in outcome.err


def test_the_images_that_do_not_overlap_can_be_scored(
    src: Path, others: Path, tmp_path: Path
) -> None:
    clf = tmp_path / "clf.safetensors"
    assert invoke("aos-train", src, "--out", clf, *TINY).code == 0
    clean = json.loads(invoke("evaluate", clf, others, "--json").out)
    for path in src.rglob("*.png"):
        shutil.copy(path, others / path.relative_to(src).with_suffix(".again.png"))
    found = json.loads(invoke("evaluate", clf, others, "--drop-overlap", "--json").out)
    assert found["images"] == 16
    assert sum(found["dropped"].values()) == 16
    assert found["overlap"] == {}
    assert found["confusion"] == clean["confusion"]
    outcome = invoke("evaluate", clf, src, "--drop-overlap")
    assert outcome.code == 2
    assert "no image of class odd, plain would be left to score" in outcome.err


def test_the_same_picture_in_another_format_is_the_same_image(tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src", images=30)
    with Image.open(src / "odd/0.png") as image:
        image.save(src / "plain/the same.bmp")
        image.convert("RGB").save(src / "odd/again.png")
    found = json.loads(invoke("inspect", src, "--json").out)
    assert found["duplicates"] == [["odd/0.png", "odd/again.png", "plain/the same.bmp"]]
    assert found["repeated"] == 1
    for seed in range(5):
        parts = tmp_path / f"parts-{seed}"
        assert invoke("split", src, parts, "--seed", seed).code == 0
        places = [*parts.glob("*/odd/0.png"), *parts.glob("*/*/again.png"), *parts.rglob("*.bmp")]
        assert len({path.parent.parent.name for path in places}) == 1
        assert len(places) == 3
