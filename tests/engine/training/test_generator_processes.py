"""Several processes train a generator as one would."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.engine import train_generator
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.train_generator import TrainGenerator
from imbsynth.runtime import joined
from imbsynth.store.checkpoints import load_checkpoint
from tests.conftest import MakeFolder
from tests.together import heard_with_signal, together

CPU = torch.device("cpu")
# Of the length of a gradient, or of the weights of a run, in float32.
ROUNDING = 1e-3


def config(src: Path, name: str, kind: str, **options: Any) -> TrainGeneratorConfig:
    small: dict[str, Any] = {"epochs": 3, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    out = src.parent / f"{name}.safetensors"
    return TrainGeneratorConfig(src=src, out=out, kind=kind, **small | options)


class Step(NamedTuple):
    """What the first step of an epoch computes, in one of several processes or alone."""

    losses: NDArray[np.float64]
    gradient: NDArray[np.float32]


def step_of(config: TrainGeneratorConfig, epoch: int) -> Step:
    command = TrainGenerator(config)
    with joined(CPU) as world:
        trainer = command.trainer(command.read(silent), CPU, "fp32", silent)
        place = trainer.place._replace(epoch=epoch)
        batch = next(iter(trainer.task.batches(place)))
        total, losses = trainer.task.compute(batch, place)
        trainer.optimisation._differentiate(total)
        gradients = [weight.grad for weight in trainer.optimisation.parameters]
        flat = torch.cat([one.flatten() for one in gradients if one is not None])
        return Step(world.sum(losses.detach()).numpy(), flat.numpy())


def steps(cases: list[tuple[TrainGeneratorConfig, int]]) -> list[Step]:
    with joined(CPU):
        return [step_of(*case) for case in cases]


def test_a_generator_gets_the_gradient_of_the_whole_batch(make_folder: MakeFolder) -> None:
    """Of each kind, in each of its stages, and where a process has no image of a batch."""
    gray = make_folder({"a": 19, "b": 5}, name="gray")
    colour = make_folder({"a": 19, "b": 5}, name="colour", mode="RGB")
    first, then = 0, 1  # epochs; the autoencoders of bagan and gamo have one
    staged: dict[str, Any] = {"latent_dim": 6, "pretrain_epochs": 1}
    cases = [
        (config(gray, "flow", "flow", flip=True), first),
        (config(gray, "flow", "flow", batch_size=2), first),
        (config(gray, "bagan", "bagan", **staged), first),
        (config(colour, "bagan", "bagan", batch_size=2, **staged), then),
        (config(colour, "gamo", "gamo", **staged), first),
        (config(gray, "gamo", "gamo", **staged), then),
        (config(gray, "gamo", "gamo", batch_size=2, **staged), then),
    ]
    found = together(3, steps, cases)
    for number, alone in enumerate(steps(cases)):
        for process in found:
            assert isinstance(process, list), process
            assert np.array_equal(process[number].gradient, found[0][number].gradient)
            assert process[number].losses == pytest.approx(alone.losses, rel=ROUNDING)
            apart = np.linalg.norm(process[number].gradient - alone.gradient)
            assert apart < ROUNDING * np.linalg.norm(alone.gradient), cases[number]


def carried_out(config: TrainGeneratorConfig, stops: bool) -> list[Event]:
    """What a run said; where it `stops`, process 1 gets a signal when the first epoch is over."""
    heard, listen = heard_with_signal(config.out.parent, signal.SIGTERM if stops else None)
    train_generator.run(config, on_event=listen)
    return heard


def log_of(config: TrainGeneratorConfig) -> list[dict[str, Any]]:
    return [json.loads(line) for line in config.out.with_suffix(".jsonl").read_text().splitlines()]


def weights_of(config: TrainGeneratorConfig) -> NDArray[np.float32]:
    tensors = load_checkpoint(config.out, "train-generator").tensors
    kept = [value.flatten() for value in tensors.values() if value.is_floating_point()]
    return torch.cat(kept).numpy()


def test_a_run_is_stopped_by_a_signal_and_resumed_by_another_number(
    make_folder: MakeFolder,
) -> None:
    """Its weights, its log with the novelty that every look finds, and its pictures."""
    src = make_folder({"a": 20, "b": 11})
    options: dict[str, Any] = {"epochs": 2, "sheet_every": 1, "min_novelty": 0}
    alone = config(src, "alone", "flow", **options)
    train_generator.run(alone)
    several = replace(config(src, "several", "flow", **options), resume=True)
    stopped = together(2, carried_out, several, True)
    assert [failed.kind for failed in stopped] == ["Interrupted"] * 2
    writer, *others = together(3, carried_out, several, False)
    assert Note("resuming after 1 of 2 epochs and 1 of 4 steps") in writer
    assert others == [[], []]
    for found, expected in zip(log_of(several), log_of(alone), strict=True):
        for name in ("flow_loss", "novelty"):
            assert found[name] == pytest.approx(expected[name], rel=ROUNDING)
    apart = np.linalg.norm(weights_of(several) - weights_of(alone))
    assert apart < ROUNDING * np.linalg.norm(weights_of(alone))
    assert several.out.with_suffix(".png").exists()
