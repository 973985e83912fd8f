"""Several processes carry out a run as one would: the same gradients, the same decisions."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine import aos_train
from imbsynth.engine.aos_train import AosTrain
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.train_ae import TrainAe
from imbsynth.engine.training.command import TrainingCommand
from imbsynth.runtime import joined
from imbsynth.store.checkpoints import load_checkpoint
from tests.conftest import MakeFolder
from tests.together import heard_with_signal, together

CPU = torch.device("cpu")
# Of the length of a gradient of networks in float64; losses are in float32. In float32, batches of
# seven images differ by some percent between two ways of rounding the same statistics.
ROUNDING = 1e-5
FEW = 7  # of as many numbers of a gradient, one is compared


def ae(src: Path, **options: Any) -> TrainAeConfig:
    small: dict[str, Any] = {"batch_size": 7, "latent_dim": 5}
    return TrainAeConfig(src=src, out=src.with_suffix(".safetensors"), **small | options)


def aos(src: Path, **options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {"epochs": 3, "batch_size": 7, "tau": 1.0, "precision": "fp32"}
    place: dict[str, Any] = {"out": src.with_suffix(".safetensors"), "device": "cpu"}
    return AosTrainConfig(src=src, **place | small | options)


def in_float64(model: nn.Module) -> None:
    """Let the networks of a model compute in float64, whatever they are given."""
    model.double()
    for network in model.children():
        network.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))


class Step:
    """What the first step of a run computes, in one of several processes or alone."""

    def __init__(self, command: TrainingCommand[Any, Any, Any]) -> None:
        with joined(CPU) as world:
            trainer = command.trainer(command.read(silent), CPU, "fp32", silent)
            in_float64(trainer.task.model)
            batch = next(iter(trainer.batches()))
            total, losses = trainer.task.compute(batch, trainer.place)
            trainer.optimisation._differentiate(total)
            self.losses: NDArray[np.float32] = world.sum(losses.detach()).numpy()
            gradients = [weight.grad for weight in trainer.optimisation.parameters]
            self.gradient: NDArray[np.float32] = torch.cat(
                [gradient.flatten() for gradient in gradients if gradient is not None]
            )[::FEW].numpy()
            buffers = [b.flatten() for b in trainer.task.model.buffers() if b.is_floating_point()]
            self.statistics: NDArray[np.float32] = torch.cat(buffers).numpy()


def ae_step(config: TrainAeConfig) -> Step:
    return Step(TrainAe(config))


def aos_step(config: AosTrainConfig) -> Step:
    return Step(AosTrain(config))


def assert_close(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    assert np.linalg.norm(found - expected) < ROUNDING * np.linalg.norm(expected)


def assert_same_step(found: list[Step], alone: Step) -> None:
    """The same in every process to the bit, and that of one process to rounding."""
    for step in found:
        assert isinstance(step, Step), step
        assert np.array_equal(step.gradient, found[0].gradient)
        assert_close(step.gradient, alone.gradient)
        assert_close(step.losses, alone.losses)
        assert_close(step.statistics, alone.statistics)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (2, {}),
        # Of two images, one process has none.
        (3, {"penalty": "permuted", "penalty_weight": 0.3, "batch_size": 2}),
    ],
    ids=["aligned", "permuted, fewer images than processes"],
)
def test_an_autoencoder_gets_the_gradient_of_the_whole_batch(
    make_folder: MakeFolder, size: int, options: dict[str, Any]
) -> None:
    config = ae(make_folder({"a": 9, "b": 4}, mode="RGB"), **options)
    assert_same_step(together(size, ae_step, config), ae_step(config))


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (2, {"loss": "class-balanced", "mix": "mixup", "augment": "affine", "model": "resnet32"}),
        (3, {"oversample": "smote", "synthetic_weight": 0.2, "split_norm": True}),
        (3, {"attack": "l2", "split_norm": True, "batch_size": 20}),
        (3, {"oversample": "none", "batch_size": 2}),
    ],
    ids=["mixed", "synthetic", "moved", "fewer images than processes"],
)
def test_a_classifier_gets_the_gradient_of_the_whole_batch(
    make_folder: MakeFolder, size: int, options: dict[str, Any]
) -> None:
    config = aos(make_folder({"a": 20, "b": 8, "c": 6}), **options)
    assert_same_step(together(size, aos_step, config), aos_step(config))


class Heard(NamedTuple):
    """What a run in one of several processes gave and said."""

    report: Any
    events: list[Event]


def carried_out(config: AosTrainConfig, sent: signal.Signals | None = None) -> Heard:
    """Run a command; process 1 gets a signal when the first epoch is over."""
    heard, listen = heard_with_signal(config.out.parent, sent)
    return Heard(aos_train.run(config, on_event=listen), heard)


def losses_of(config: AosTrainConfig) -> list[float]:
    lines = config.out.with_suffix(".jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture
def src(make_folder: MakeFolder) -> Path:
    return make_folder({"a": 20, "b": 8, "c": 6})


@pytest.fixture
def alone(src: Path, tmp_path: Path) -> AosTrainConfig:
    """What one process has trained."""
    config = aos(src, out=tmp_path / "alone/clf.safetensors", oversample="ros", lr=1e-4)
    aos_train.run(config)
    return config


def beside(config: AosTrainConfig) -> AosTrainConfig:
    """The same run at another place, resumed if it has begun."""
    out = config.out.parent.parent / "several/clf.safetensors"
    out.parent.mkdir(exist_ok=True)
    return replace(config, out=out, resume=True)


def test_one_of_the_processes_writes_and_tells_the_others(alone: AosTrainConfig) -> None:
    config = beside(alone)
    first, second = together(2, carried_out, config)
    assert first.report == second.report
    assert first.events
    assert not second.events
    assert losses_of(config) == pytest.approx(losses_of(alone), rel=1e-3)
    made_by, single = (load_checkpoint(c.out, "aos-train").meta["made_by"] for c in (config, alone))
    assert made_by == {**single, "processes": 2}
    assert {path.name for path in config.out.parent.iterdir()} == {
        *(path.name for path in alone.out.parent.iterdir()),
        "pids",
    }


def test_a_signal_to_one_process_stops_all_and_another_number_resumes(
    alone: AosTrainConfig,
) -> None:
    config = beside(alone)
    found = together(2, carried_out, config, signal.SIGTERM)
    assert [failed.kind for failed in found] == ["Interrupted"] * 2
    assert not config.out.exists()
    writer, *_ = together(3, carried_out, config)
    notes = [event.text for event in writer.events if isinstance(event, Note)]
    assert any("the run was begun with processes 2, now 3" in note for note in notes)
    assert losses_of(config) == pytest.approx(losses_of(alone), rel=1e-3)


def test_a_killed_process_ends_the_run_and_the_last_epoch_is_kept(alone: AosTrainConfig) -> None:
    config = beside(alone)
    writer, killed = together(2, carried_out, config, signal.SIGKILL)
    assert killed is None
    assert writer.kind == "ProcessLost"
    assert "another process of this run has ended" in writer.text
    assert not config.out.exists()
    heard: list[Event] = []
    aos_train.run(config, on_event=heard.append)
    assert Note(f"resuming after 1 of {config.epochs} epochs") in heard
    assert losses_of(config) == pytest.approx(losses_of(alone), rel=1e-3)


def test_processes_that_read_other_images_do_not_train(src: Path, tmp_path: Path) -> None:
    found = together(2, differently, aos(src))
    assert all("do not read the same images" in failed.text for failed in found)


def differently(config: AosTrainConfig) -> None:
    """Process 1 sees a folder of the same name with other images."""
    if os.environ["RANK"] == "1":
        other = config.src.parent / "other" / config.src.name
        shutil.copytree(config.src, other)
        next(other.glob("a/*")).unlink()
        config = replace(config, src=other)
    aos_train.run(config)
