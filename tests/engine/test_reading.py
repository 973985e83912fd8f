"""What is known of a folder before anything is decoded is said before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from imbsynth.configs import (
    AosTrainConfig,
    EvaluateConfig,
    FidConfig,
    GenerateConfig,
    TrainAeConfig,
)
from imbsynth.engine import aos_train, evaluate, fid, generate, train_ae
from imbsynth.engine.events import Event, Note, Started
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, draw_image

Run = Callable[[Path, Path, list[Event]], object]


def train(src: Path, tmp: Path, told: list[Event], **options: object) -> object:
    config = AosTrainConfig(src=src, out=tmp / "clf.safetensors", epochs=1, **options)  # type: ignore[arg-type]
    return aos_train.run(config, on_event=told.append)


def code(src: Path, tmp: Path, told: list[Event], **options: object) -> object:
    config = TrainAeConfig(src=src, out=tmp / "ae.safetensors", epochs=1, **options)  # type: ignore[arg-type]
    return train_ae.run(config, on_event=told.append)


def balance(src: Path, tmp: Path, told: list[Event], **options: object) -> object:
    config = GenerateConfig(src=src, dst=tmp / "dst", **options)  # type: ignore[arg-type]
    return generate.run(config, on_event=told.append)


def measure(src: Path, tmp: Path, told: list[Event]) -> object:
    return fid.run(FidConfig(real=src, fake=src, features="pixels"), on_event=told.append)


@pytest.mark.parametrize("run", [train, code, balance, measure])
def test_mixed_sizes_are_refused_before_anything_is_read(
    make_folder: MakeFolder, tmp_path: Path, run: Run
) -> None:
    src = make_folder({"a": 4, "b": 3})
    draw_image(0, 20, 30, "L").save(src / "b/odd.png")
    told: list[Event] = []
    with pytest.raises(UserError, match="images of 2 sizes: 8x8 "):
        run(src, tmp_path, told)
    assert not any(isinstance(event, Started) for event in told)


def test_mixed_sizes_may_be_those_of_files_that_are_left_out(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 4, "b": 3})
    draw_image(0, 20, 30, "L").save(src / "b/odd.png")
    (src / "b/odd.png").write_bytes((src / "b/odd.png").read_bytes()[:-20])
    config = GenerateConfig(src=src, dst=tmp_path / "dst", skip_unreadable=True)
    assert generate.run(config).added == {"a": 0, "b": 1}


def test_a_header_that_lies_leaves_the_limits_of_the_others(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 4, "b": 3}, size=(80, 100))
    draw_image(0, 300, 20, "L").save(src / "b/odd.png")
    (src / "b/odd.png").write_bytes((src / "b/odd.png").read_bytes()[:-20])
    told: list[Event] = []
    train(src, tmp_path, told, skip_unreadable=True, batch_size=4, model="cnn")
    assert any(isinstance(event, Note) and "read at 52x64 pixels" in event.text for event in told)
    with pytest.raises(UserError, match="GB of memory"):
        train(src, tmp_path / "new", told, skip_unreadable=True, batch_size=1_000_000)


def test_mixed_sizes_that_can_be_read_are_refused_whatever_is_left_out(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 4, "b": 3})
    draw_image(0, 20, 30, "L").save(src / "b/odd.png")
    told: list[Event] = []
    with pytest.raises(UserError, match="images of 2 sizes: 8x8 "):
        train(src, tmp_path, told, skip_unreadable=True)
    assert not any(isinstance(event, Started) for event in told)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"model": "resnet19"}, "no classifier 'resnet19'"),
        ({"model": "vit_b_16", "image_size": (40, 40)}, "vit_b_16 does not take images of 40x40"),
        ({"image_size": (4, 4)}, "4x4"),
        ({"ae": Path("gone.safetensors"), "oversample": "smote"}, "gone.safetensors: no such file"),
        ({"val": Path("gone")}, "gone: no such folder"),
    ],
)
def test_what_no_image_tells_is_checked_before_reading(
    make_folder: MakeFolder, tmp_path: Path, options: dict[str, object], problem: str
) -> None:
    told: list[Event] = []
    with pytest.raises(UserError, match=problem):
        train(make_folder({"a": 4, "b": 3}), tmp_path, told, **options)
    assert told == []


def test_classes_that_a_classifier_does_not_know_are_named_before_reading(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    train(make_folder({"a": 4, "b": 3}), tmp_path, [])
    told: list[Event] = []
    config = EvaluateConfig(
        checkpoint=tmp_path / "clf.safetensors", src=make_folder({"a": 2, "c": 2}, name="test")
    )
    with pytest.raises(UserError, match="class c is none of the classifier's"):
        evaluate.run(config, on_event=told.append)
    assert told == []


def test_unknown_classes_in_a_list_are_named_before_reading(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    (tmp_path / "sizes.yaml").write_text("c: 9\n")
    told: list[Event] = []
    with pytest.raises(UserError, match="names no class"):
        balance(make_folder({"a": 4, "b": 3}), tmp_path, told, per_class=tmp_path / "sizes.yaml")
    assert told == []


@pytest.mark.parametrize("run", [train, code])
def test_photographs_are_read_at_a_size_that_the_network_is_made_for(
    make_folder: MakeFolder, tmp_path: Path, run: Run
) -> None:
    src = make_folder({"a": 4, "b": 3}, size=(96, 128))
    told: list[Event] = []
    run(src, tmp_path, told)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert "read at 48x64 pixels" in notes[0]
    assert "7 images were resized to 48x64" in notes[1]


def test_a_folder_balanced_at_the_usual_size_needs_no_size_either(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 6, "b": 3}, size=(96, 128))
    code(src, tmp_path, [])
    balance(src, tmp_path, [], ae=tmp_path / "ae.safetensors")
    sizes = set()
    for path in (tmp_path / "dst").rglob("*.png"):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert (64, 48) in sizes
    assert (128, 96) in sizes
    train(tmp_path / "dst", tmp_path, [])


def test_small_images_keep_their_size(make_folder: MakeFolder, tmp_path: Path) -> None:
    told: list[Event] = []
    train(make_folder({"a": 4, "b": 3}, size=(64, 40)), tmp_path, told)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert not any("read at" in text or "resized" in text for text in notes)
