from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from imbsynth.configs import AosTrainConfig, GenerateConfig
from imbsynth.engine import generate
from imbsynth.engine.events import silent
from imbsynth.engine.inference.classifier import Seen
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.training.holding_out import check_validation, hold_out, read_validation
from imbsynth.errors import UserError
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import MakeFolder


def read(src: Path) -> Labelled:
    return read_labelled(src, AS_THEY_ARE, on_event=silent)


def validation(folder: Path, images: Labelled, *, allow_overlap: bool = False) -> Labelled:
    """The validation folder of a training on all images."""
    config = AosTrainConfig(src=folder, out=folder / "clf.safetensors", allow_overlap=allow_overlap)
    seen = Seen(images.identities(), set())
    check_validation(folder, images.classes, allow_overlap=allow_overlap)
    return read_validation(folder, images, seen, config=config, on_event=silent)


def test_a_share_of_every_class_is_held_out(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 50, "b": 10, "c": 2})
    images = read(src)
    parts = hold_out(src, images, 0.2, 0)
    assert np.bincount(images.labels[parts.val]).tolist() == [10, 2, 1]
    assert sorted([*parts.train, *parts.val]) == list(range(62))
    assert parts.left_out == 0
    assert hold_out(src, images, 0.2, 0).val.tolist() == parts.val.tolist()
    assert hold_out(src, images, 0.2, 1).val.tolist() != parts.val.tolist()


def test_equal_files_are_never_on_both_sides(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 10, "b": 10})
    for i in range(10):
        shutil.copy(src / f"a/{i:03d}.png", src / f"a/copy-{i}.png")
    shutil.copy(src / "a/000.png", src / "b/mislabelled.png")
    images = read(src)
    for seed in range(5):
        parts = hold_out(src, images, 0.3, seed)
        sides = [{images.digests[i] for i in part} for part in (parts.train, parts.val)]
        assert not sides[0] & sides[1]


def test_a_class_of_one_image_cannot_be_held_out(rare: Path) -> None:
    with pytest.raises(UserError, match="class single has 1 real image: none"):
        hold_out(rare, read(rare), 0.2, 0)
    for number in range(3):
        shutil.copy(rare / "single/000.png", rare / f"single/again-{number}.png")
    with pytest.raises(UserError, match="4 real images, all of which are the same: none"):
        hold_out(rare, read(rare), 0.2, 0)


def test_classes_with_the_same_images_leave_none_to_train_on(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 2, "b": 2})
    for path in (src / "a").iterdir():
        shutil.copy(path, src / "b" / path.name)
    with pytest.raises(UserError, match=r"all images of class .* are held out, since they are in"):
        hold_out(src, read(src), 0.5, 0)


def test_only_real_images_validate_and_nothing_made_from_them_trains(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, dst = make_folder({"a": 20, "b": 5}), tmp_path / "dst"
    generate.run(GenerateConfig(src=src, dst=dst))
    images = read(dst)
    parts = hold_out(dst, images, 0.4, 0)
    lines = [json.loads(line) for line in (dst / "manifest.jsonl").read_text().splitlines()]
    made = {line["file"]: set(line["parents"]) for line in lines}
    val = {images.paths[i] for i in parts.val}
    assert not val & made.keys()
    trained = {images.paths[i] for i in parts.train}
    assert all(not made[path] & val for path in trained & made.keys())
    assert parts.left_out == sum(bool(parents & val) for parents in made.values()) > 0


def test_a_validation_folder_shares_nothing_with_training(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 6, "b": 6})
    val = tmp_path / "val"
    shutil.copytree(src, val)
    for path in [*val.glob("a/*")][1:]:
        path.write_bytes(path.read_bytes() + b"\0")  # other bytes, the same picture
    images = read(src)
    with pytest.raises(UserError, match=r"of its 12 images, 12 trained on \(a/"):
        validation(val, images)
    assert len(validation(val, images, allow_overlap=True).paths) == 12


@pytest.mark.parametrize(
    ("classes", "problem"),
    [({"a": 3}, "no images of class b"), ({"a": 3, "b": 3, "z": 3}, "class z is none of")],
)
def test_validation_has_the_classes_of_training(
    make_folder: MakeFolder, classes: dict[str, int], problem: str
) -> None:
    images = read(make_folder({"a": 6, "b": 6}))
    val = make_folder(classes, name="val", first=100)
    with pytest.raises(UserError, match=problem):
        validation(val, images)


def test_synthetic_images_do_not_validate(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 6, "b": 3})
    generate.run(GenerateConfig(src=src, dst=tmp_path / "val"))
    with pytest.raises(UserError, match="synthetic"):
        validation(tmp_path / "val", read(src))
