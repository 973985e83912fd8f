from __future__ import annotations

import hashlib
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from imbsynth.configs import AosTrainConfig, GenerateConfig
from imbsynth.core import tables
from imbsynth.core.calibration import fitted_temperature, softmax
from imbsynth.core.decisions import best_tau
from imbsynth.engine import aos_train, generate
from imbsynth.engine.events import EpochDone, Event, Note
from imbsynth.engine.inference.classifier import load_classifier, logits
from imbsynth.engine.reading import read_labelled
from imbsynth.errors import Interrupted, UserError
from imbsynth.store.images import ImageForm
from tests.conftest import MakeFolder, contents


def config(src: Path, out: Path, **options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {"epochs": 4, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    return AosTrainConfig(src=src, out=out, **small | options)


def stop_after(epochs: int) -> Any:
    """A listener that sends this process SIGTERM when so many epochs are done."""

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == epochs:
            os.kill(os.getpid(), signal.SIGTERM)

    return listen


@pytest.mark.parametrize(("size", "mode"), [((28, 28), "L"), ((13, 21), "RGB")])
def test_a_run_writes_checkpoint_log_and_curves(
    make_folder: MakeFolder, tmp_path: Path, size: tuple[int, int], mode: str
) -> None:
    src = make_folder({"a": 12, "b": 5}, size=size, mode=mode)
    report = aos_train.run(config(src, tmp_path / "clf.safetensors"))
    trained = load_classifier(tmp_path / "clf.safetensors")
    assert trained.model.shape[1:] == size
    assert trained.counts == {"a": 10, "b": 4}
    assert (len(trained.seen.trained_on), len(trained.seen.validated_on)) == (28, 6)  # 2 per image
    assert not trained.seen.parents | trained.seen.encoded
    assert trained.best_epoch == report.best_epoch
    lines = [json.loads(line) for line in (tmp_path / "clf.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert report.val["f1_macro"] == max(line["f1_macro"] for line in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clf.jsonl", "clf.png", "clf.safetensors", "src",
    ]  # fmt: skip


def test_tau_temperature_and_thresholds_are_fitted_to_the_kept_epoch(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 12, "b": 5})
    val = make_folder({"a": 9, "b": 8}, name="val", first=100)
    notes: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    out = tmp_path / "clf.safetensors"
    options = {"val": val, "want_recall": {"b": 0.6}, "oversample": "none"}
    aos_train.run(config(src, out, **options), on_event=listen)
    trained = load_classifier(out)
    images = read_labelled(val, ImageForm((8, 8), 1), on_event=lambda _: None)
    found = logits(
        trained.model,
        torch.from_numpy(images.pixels),
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=1000,
    )
    assert trained.fitted is not None
    assert trained.fitted.temperature == fitted_temperature(found, images.labels)
    assert trained.fitted.tau == best_tau(found, images.labels, np.array([12, 5]))
    of_b = softmax(found)[:, 1]
    threshold = trained.fitted.thresholds["b"]
    assert (of_b[images.labels == 1] >= threshold).sum() == 5  # 0.6 of 8 are 4.8
    others = int((of_b[images.labels == 0] >= threshold).sum())
    assert f"finds 5 of its 8 validation images, and {others} others" in notes[-1]


def test_a_recall_of_a_class_that_is_not_there_is_refused_before_training(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 8, "b": 4})
    with pytest.raises(UserError, match="want_recall: there is no class c"):
        aos_train.run(config(src, tmp_path / "clf.safetensors", want_recall={"c": 0.5}))
    with pytest.raises(UserError, match=r"no class B\n  fix: did you mean b\? If not, the classes"):
        aos_train.run(config(src, tmp_path / "clf.safetensors", want_recall={"B": 0.5}))
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


@pytest.mark.parametrize("oversample", ["none", "ros", "rus", "smote", "aos"])
def test_every_balancing_learns(make_folder: MakeFolder, tmp_path: Path, oversample: Any) -> None:
    src = make_folder({"a": 40, "b": 20})
    for path in src.glob("b/*.png"):  # class b is the negative of what it was
        from PIL import Image, ImageOps

        ImageOps.invert(Image.open(path)).save(path)
    report = aos_train.run(config(src, tmp_path / "c.safetensors", oversample=oversample, epochs=8))
    assert report.val["acsa"] == 1.0


def squared_error(logits: Tensor, targets: Tensor, _counts: Tensor, _progress: float) -> Tensor:
    """A loss that the package does not have."""
    return (logits.softmax(1) - targets).square().sum(1)


def upwards(images: Tensor, _loss: Any, _rng: Any, *, epsilon: float) -> Tensor:
    """An attack that the package does not have."""
    return (images + epsilon).clamp(0, 1)


def test_a_loss_and_an_attack_are_a_function_and_an_entry_each(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = tables.Entry("squared-error", f"{__name__}:squared_error", "for this test")
    attack = tables.Entry("upwards", f"{__name__}:upwards", "for this test", options=("epsilon",))
    monkeypatch.setitem(tables.LOSSES, loss.name, loss)
    monkeypatch.setitem(tables.ATTACKS, attack.name, attack)
    src = make_folder({"a": 10, "b": 5})
    new = config(src, tmp_path / "clf.safetensors", epochs=2)
    object.__setattr__(new, "loss", loss.name)  # the choices were made when configs was imported
    object.__setattr__(new, "attack", attack.name)
    report = aos_train.run(new)
    assert report.epochs == 2
    first = json.loads((tmp_path / "clf.jsonl").read_text().splitlines()[0])
    assert 0 < first["loss"] < 2  # at most 2 for one image
    assert first["moved"] > 0


def test_equal_runs_end_in_equal_bytes(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 10, "b": 5})
    made = []
    for name in ("one", "two"):
        aos_train.run(config(src, tmp_path / name / "clf.safetensors"))
        made.append(contents(tmp_path / name))
        del made[-1]["clf.jsonl"]  # it carries durations
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("options", "epochs_before"),
    [
        ({}, 1),  # between two epochs of one draw
        ({}, 2),  # before another draw
        ({"augment": "flip-crop", "every": 3}, 2),
        ({"model": "mobilenet_v3_small", "image_size": (32, 32)}, 1),  # it has dropout
        ({"optimizer": "adamw", "attack": "pgd", "mix": "mixup", "weight_decay": 0.1}, 1),
        ({"optimizer": "sgd", "attack": "l2", "loss": "balanced-softmax"}, 3),
        ({"optimizer": "sgd", "oversample": "smote", "loss": "focal", "mix": "mixup"}, 2),
    ],
)
def test_a_resumed_run_ends_in_the_bytes_of_an_unbroken_one(
    make_folder: MakeFolder, tmp_path: Path, options: dict[str, Any], epochs_before: int
) -> None:
    src = make_folder({"a": 17, "b": 5})
    whole = config(src, tmp_path / "whole/clf.safetensors", **options)
    aos_train.run(whole)
    broken = replace(whole, out=tmp_path / "broken/clf.safetensors", resume=True)
    with pytest.raises(Interrupted):
        aos_train.run(broken, on_event=stop_after(epochs_before))
    assert not broken.out.exists()
    report = aos_train.run(broken)
    assert report.epochs == 4
    assert broken.out.read_bytes() == whole.out.read_bytes()
    assert (tmp_path / "broken/clf.png").read_bytes() == (tmp_path / "whole/clf.png").read_bytes()
    assert aos_train.run(broken) == report  # complete: nothing to do


def test_epochs_may_change_on_the_way_only_where_no_step_depends_on_them(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 10, "b": 5})
    constant = config(src, tmp_path / "clf.safetensors", schedule="constant")
    with pytest.raises(Interrupted):
        aos_train.run(constant, on_event=stop_after(1))
    assert aos_train.run(replace(constant, epochs=5, resume=True)).epochs == 5
    cosine = config(src, tmp_path / "other.safetensors")
    with pytest.raises(Interrupted):
        aos_train.run(cosine, on_event=stop_after(1))
    with pytest.raises(UserError, match="epochs 4, not 5"):
        aos_train.run(replace(cosine, epochs=5, resume=True))


def test_training_goes_on_a_generated_folder(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, val = make_folder({"a": 12, "b": 4}), make_folder({"a": 3, "b": 3}, name="val", first=100)
    generate.run(GenerateConfig(src=src, dst=tmp_path / "balanced"))
    run = config(tmp_path / "balanced", tmp_path / "clf.safetensors", val=val, oversample="none")
    aos_train.run(run)
    trained = load_classifier(run.out)
    assert trained.counts == {"a": 12, "b": 4}  # real images
    assert len(trained.seen.trained_on) == 48  # a file and its pixels
    few = [path.read_bytes() for path in src.glob("b/*.png")]
    assert trained.seen.parents >= {hashlib.sha256(data).hexdigest() for data in few}
    assert len(trained.seen.parents) == 8


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"model": "resnet19"}, "model resnet19: torchvision has no classifier"),
        ({"model": "vit_b_16", "image_size": (40, 40)}, "model vit_b_16 does not take"),
        ({"model": "alexnet", "image_size": (16, 16)}, "model alexnet does not take"),
        ({"image_size": (4, 4)}, "4x4"),
    ],
)
def test_what_cannot_be_trained_is_said(
    make_folder: MakeFolder, tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    src = make_folder({"a": 6, "b": 6})
    with pytest.raises(UserError, match=problem):
        aos_train.run(config(src, tmp_path / "clf.safetensors", **options))
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_one_class_is_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to tell apart"):
        aos_train.run(config(make_folder({"a": 6}), tmp_path / "clf.safetensors"))


def test_a_damaged_checkpoint_is_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    out = tmp_path / "clf.safetensors"
    aos_train.run(config(make_folder({"a": 6, "b": 6}), out, epochs=1))
    with safe_open(out, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        meta = json.loads(file.metadata()["imbsynth"])
    del meta["header"]  # as versions before it wrote
    edits: list[dict[str, Any]] = [
        {"counts": [["a", 5]]},
        {"counts": [["a", 5], ["a", 5]]},
        {"counts": 7},
        {"model": "resnet19"},
        {"model": 3},
        {"shape": {"channels": 1, "height": 10**9, "width": 8}},
        {"shape": {"channels": 2, "height": 8, "width": 8}},
        {"shape": {"channels": 1, "height": 9.5, "width": 8}},
    ]
    for edit in edits:
        save_file(tensors, out, {"imbsynth": json.dumps(meta | edit)})
        with pytest.raises(UserError, match="describes no classifier"):
            load_classifier(out)
    save_file(tensors, out, {"imbsynth": json.dumps(meta | {"model": "resnet18"})})
    with pytest.raises(UserError, match="do not fit its own header"):
        load_classifier(out)
    save_file({"x": torch.zeros(1)}, out, {"imbsynth": json.dumps(meta)})
    with pytest.raises(UserError, match="its tensors are not those that were written"):
        load_classifier(out)
    del meta["tensors"]  # as versions before it wrote
    save_file({"x": torch.zeros(1)}, out, {"imbsynth": json.dumps(meta)})
    with pytest.raises(UserError, match="describes no classifier"):
        load_classifier(out)
