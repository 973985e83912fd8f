"""Runs that are resumed: to the byte from their own state, and not at all from another."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.engine import aos_train
from imbsynth.engine.events import EpochDone, Event, Started
from imbsynth.errors import Interrupted, UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.training_files import TrainingFiles
from tests.conftest import MakeFolder


def config(src: Path, out: Path, **options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    return AosTrainConfig(src=src, out=out, **small | options)


def stop(event: Event) -> None:
    """A listener that sends this process SIGTERM when an epoch is done."""
    if isinstance(event, EpochDone) and event.epoch == 1:
        os.kill(os.getpid(), signal.SIGTERM)


def assert_resumed_exactly(whole: AosTrainConfig, out: Path) -> None:
    """The run, stopped after an epoch and resumed at another place, ends in the same bytes."""
    aos_train.run(whole)
    broken = replace(whole, out=out, resume=True)
    with pytest.raises(Interrupted):
        aos_train.run(broken, on_event=stop)
    aos_train.run(broken)
    assert broken.out.read_bytes() == whole.out.read_bytes()


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("attack", ["fgsm", "pgd", "l2"])
@pytest.mark.parametrize("mix", ["none", "mixup"])
def test_a_run_is_resumed_exactly_whatever_the_methods(
    make_folder: MakeFolder, tmp_path: Path, optimizer: str, attack: str, mix: str
) -> None:
    src = make_folder({"a": 9, "b": 4})
    options: dict[str, Any] = {"optimizer": optimizer, "attack": attack, "mix": mix}
    whole = config(src, tmp_path / "whole/clf.safetensors", weight_decay=0.01, **options)
    assert_resumed_exactly(whole, tmp_path / "broken/clf.safetensors")


def test_a_run_whose_last_epochs_are_real_is_resumed_exactly(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 9, "b": 4})
    # Stopped before an epoch of real images, and before one of moved ones; and with none of moved.
    for epochs, real_last in ((2, 0.5), (4, 0.5), (2, 0.9)):
        out = tmp_path / f"{epochs} {real_last}"
        whole = config(
            src, out / "whole.safetensors", split_norm=True, real_last=real_last, epochs=epochs
        )
        assert_resumed_exactly(whole, out / "broken.safetensors")


@pytest.mark.parametrize(
    "options",
    [
        {"ema": 0.9, "mix": "cmo", "augment": "trivial", "oversample": "aos"},
        {"sam": 0.05, "mix": "remix", "loss": "ldam", "defer": 0.5, "oversample": "smote"},
        {"recipe": "strong", "mix": "cutmix", "mix_share": 0.5, "label_smoothing": 0.1},
    ],
    ids=["average", "sam", "strong"],
)
def test_a_run_is_resumed_exactly_whatever_it_learns_with(
    make_folder: MakeFolder, tmp_path: Path, options: dict[str, Any]
) -> None:
    src = make_folder({"a": 9, "b": 4}, mode="RGB")
    whole = config(src, tmp_path / "whole/clf.safetensors", **options)
    assert_resumed_exactly(whole, tmp_path / "broken/clf.safetensors")


def test_a_state_of_an_older_version_is_told_from_a_damaged_one(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "clf.safetensors"
    with pytest.raises(Interrupted):
        aos_train.run(config(src, out), on_event=stop)
    path = tmp_path / "clf.state.safetensors"
    tensors, meta = load_checkpoint(path, "state of a run")
    edits: list[tuple[str, dict[str, Any], str]] = [
        ("format", {}, "that an older version of imbsynth began"),
        ("step", {"step": -1}, "damaged: its step"),
        ("history", {"history": [{"epoch": 1}]}, "damaged: line 1 of its history has no number"),
        ("seconds", {"seconds": "x"}, "damaged: its time"),
    ]
    for gone, edit, problem in edits:
        kept = {name: value for name, value in meta.items() if name != gone}
        save_checkpoint(path, Checkpoint(tensors, kept | edit))
        with pytest.raises(UserError, match=problem):
            aos_train.run(config(src, out, resume=True))
    name = "optimizer.0.exp_avg"
    for value, problem in [
        (None, "tensor optimizer.0.exp_avg is missing"),
        (tensors[name].double(), "tensor optimizer.0.exp_avg is torch.float64"),
        (tensors[name][:1], "tensor optimizer.0.exp_avg is torch.float32 of shape"),
        (tensors[name] * float("nan"), "has values that are not finite"),
    ]:
        odd = {**tensors, name: value} if value is not None else dict(tensors)
        if value is None:
            del odd[name]
        save_checkpoint(path, Checkpoint(odd, meta))
        with pytest.raises(UserError, match=problem):
            aos_train.run(config(src, out, resume=True))
    save_checkpoint(path, Checkpoint({**tensors, "x.y": torch.zeros(1)}, meta))
    with pytest.raises(UserError, match="which no part of the run has"):
        aos_train.run(config(src, out, resume=True))


def test_room_for_the_state_is_checked_before_the_first_step(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, events = make_folder({"a": 9, "b": 4}), list[Event]()
    full = os.statvfs_result((4096, 4096, 10**6, 3, 3, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    with pytest.raises(UserError, match=r"the state of the run would take .* MB, .* 0\.01 MB"):
        aos_train.run(config(src, tmp_path / "clf.safetensors"), on_event=events.append)
    assert not any(isinstance(event, Started) and event.task == "training" for event in events)
    assert list(tmp_path.glob("clf*")) == []


def test_the_size_of_a_state_is_known_before(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, told = make_folder({"a": 9, "b": 4}), list[int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingFiles, "check_room", lambda _, size: told.append(size))
        with pytest.raises(Interrupted):
            aos_train.run(config(src, tmp_path / "clf.safetensors"), on_event=stop)
    state = load_checkpoint(tmp_path / "clf.state.safetensors", "state of a run")
    saved = sum(value.nbytes for name, value in state.tensors.items() if "losses" not in name)
    assert told == [saved]
