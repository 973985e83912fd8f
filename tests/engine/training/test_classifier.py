from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig, GenerateConfig, TrainAeConfig
from imbsynth.core.batches import Indices
from imbsynth.core.tables import ATTACKS, LOSSES, MIXINGS
from imbsynth.engine import generate, train_ae
from imbsynth.engine.events import silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.spaces import PixelSpace, latent_space
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.classifier_run import classifier_trainer
from imbsynth.engine.training.moves import Moves
from imbsynth.engine.training.sets import TrainingSet, training_set
from imbsynth.engine.training.trainer import Trainer
from imbsynth.engine.training.validation import Validation
from imbsynth.models.split_norm import SplitNorm
from imbsynth.store.images import AS_THEY_ARE, read_images
from tests.conftest import MakeFolder

CPU = torch.device("cpu")
ALL = slice(None)  # rows


def read(src: Path) -> Labelled:
    return read_labelled(src, AS_THEY_ARE, on_event=silent)


def settings(**options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {"augment": "none", "batch_size": 8, "epochs": 4, "tau": 1.0}
    return AosTrainConfig(src=Path("src"), out=Path("out.safetensors"), **small | options)


def training(images: Labelled, **options: Any) -> Trainer[ClassifierTask]:
    members = dict(zip(images.classes, images.members(), strict=True))
    val = Validation(torch.from_numpy(images.pixels), images.labels)
    space = PixelSpace(images, images.members(), CPU, 8)
    return classifier_trainer(settings(**options), Material(members, space, val), "fp32")


def moves(run: Trainer[ClassifierTask]) -> Moves:
    assert run.task.moves is not None
    return run.task.moves


def test_smote_trains_on_the_images_that_generate_writes(rare: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst", synthetic_only=True))
    run = training(read(rare), oversample="smote")
    assert_same_images(run.task.shown, tmp_path / "dst")


@pytest.mark.parametrize("decode", ["residual", "plain"])
def test_latent_smote_trains_on_the_images_that_generate_writes(
    rare: Path, tmp_path: Path, decode: str
) -> None:
    ae = tmp_path / "ae.safetensors"
    train_ae.run(TrainAeConfig(src=rare, out=ae, epochs=2, batch_size=8, latent_dim=6))
    dst = tmp_path / "dst"
    options: dict[str, Any] = {"decode": decode, "precision": "fp32", "synthetic_only": True}
    generate.run(GenerateConfig(src=rare, dst=dst, ae=ae, **options))
    images = read(rare)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 8)
    autoencoder = TrainedAutoencoder(load_autoencoder(ae), CPU, "fp32")
    latents = latent_space(autoencoder, images, images.members(), decode=decode, min_change=0)
    shown = training_set(settings(oversample="smote", ae=ae), members, space, latents)
    assert_same_images(shown, dst)


def assert_same_images(shown: TrainingSet, folder: Path) -> None:
    """The rows after the 20 originals are the images of a generated folder."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    written = read_images(folder, [line["file"] for line in lines]).pixels
    seen = shown.images(np.arange(20, len(shown))) * 255
    torch.testing.assert_close(seen, torch.from_numpy(written).float(), atol=1e-3, rtol=0)


def test_only_minority_images_are_moved_and_by_epsilon(rare: Path) -> None:
    run = training(read(rare), epsilon=0.1)
    everything = np.arange(len(run.task.shown.labels))
    before = run.task.batch_images(everything)
    weights = {name: value.clone() for name, value in run.task.model.state_dict().items()}
    next(iter(run.batches()))
    after = run.task.batch_images(everything)
    assert moves(run).moved.tolist() == (run.task.shown.labels > 0).tolist()  # tau is 1
    distance = (after - before).abs().amax((1, 2, 3))
    assert (distance[~torch.from_numpy(moves(run).moved)] == 0).all()
    torch.testing.assert_close(
        distance[torch.from_numpy(moves(run).moved)], torch.full((36,), 0.1), atol=1e-5, rtol=0
    )
    assert after.min() >= 0
    assert after.max() <= 1
    assert all(torch.equal(value, weights[n]) for n, value in run.task.model.state_dict().items())


def test_moved_images_are_those_of_fgsm_on_the_whole_set(rare: Path) -> None:
    """Each image moved once and kept as int8, against every copy moved by itself in floats."""
    run = training(read(rare), epsilon=0.05)
    next(iter(run.batches()))
    rows = np.flatnonzero(moves(run).moved)
    images = (
        run.task.shown.space.pixels[run.task.shown.rows.parents[rows, 0]].float() / 255
    ).requires_grad_()
    run.task.model.eval()
    loss = torch.nn.functional.cross_entropy(
        run.task.model(images), torch.from_numpy(run.task.shown.labels[rows]), reduction="sum"
    )
    (gradient,) = torch.autograd.grad(loss, images)
    expected = (images + 0.05 * gradient.sign()).clamp(0, 1).detach()
    found = run.task.batch_images(rows)
    # An offset that ends at black or white is kept to the nearest 127th of epsilon.
    torch.testing.assert_close(found, expected, atol=0.05 / 254 + 1e-6, rtol=0)


def test_tau_is_the_probability_of_being_moved(make_folder: MakeFolder) -> None:
    run = training(read(make_folder({"a": 400, "b": 4})), tau=0.3)
    next(iter(run.batches()))
    assert not moves(run).moved[run.task.shown.labels == 0].any()
    assert abs(moves(run).moved.sum() - 0.3 * 400) < 5 * (400 * 0.3 * 0.7) ** 0.5
    assert len(moves(run).offsets) <= 4  # an image each, however many copies


def test_what_is_moved_is_drawn_anew_every_second_epoch(rare: Path) -> None:
    run = training(read(rare), tau=0.5)
    drawn = []
    for _ in range(4):
        run.clock.start()
        for batch in run.batches():
            run.take_step(batch)
        drawn.append(moves(run).moved.tolist())
        run.end_epoch()
    assert drawn[0] == drawn[1] != drawn[2] == drawn[3]


def test_a_draw_for_many_epochs_looks_no_further_than_it_must(rare: Path) -> None:
    run = training(read(rare), every=1_000_000)
    order, asked = moves(run).order, list[int]()

    def counted(epoch: int) -> list[Indices]:
        asked.append(epoch)
        return order(epoch)[:1] if epoch == 0 else order(epoch)

    moves(run).order = counted
    next(iter(run.batches()))
    assert asked == [0, 1]  # all rows are in the second


def test_an_epoch_of_equal_budget(rare: Path) -> None:
    for oversample in ("none", "ros", "rus"):
        run = training(read(rare), oversample=oversample, images_per_epoch=30)
        assert sum(map(len, run.batches())) == 30


@pytest.mark.parametrize("oversample", ["aos", "smote", "ros", "rus", "none"])
@pytest.mark.parametrize("mix", MIXINGS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_mixing_learns_with_every_balancing(
    rare: Path, loss: str, mix: str, oversample: str
) -> None:
    options = {"loss": loss, "mix": mix, "oversample": oversample, "augment": "trivial"}
    run = training(read(rare), **options, sam=0.05, ema=0.9)
    take_a_step(run)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_attack_climbs_every_loss(rare: Path, loss: str, attack: str) -> None:
    run = training(read(rare), loss=loss, attack=attack, epsilon=0.1)
    take_a_step(run)
    assert (moves(run).offsets.units > 0).all()


def take_a_step(run: Trainer[ClassifierTask]) -> None:
    """And see that it changed the weights, to finite numbers."""
    before = [weight.detach().clone() for weight in run.task.model.parameters()]
    run.take_step(next(iter(run.batches())))
    assert run.finite
    after = list(run.task.model.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_a_state_that_is_not_finite_is_seen(rare: Path) -> None:
    run = training(read(rare), lr=0.5)
    assert run.finite
    next(run.task.model.parameters()).data.fill_(float("inf"))
    run.take_step(next(iter(run.batches())))
    assert not run.finite


def test_the_weight_of_synthetic_images_by_hand(rare: Path) -> None:
    run = training(read(rare), oversample="smote", synthetic_weight=0.25)
    rows = np.array([0, 1, 30])  # two originals and a synthetic image
    losses = torch.tensor([1.0, 2.0, 4.0])
    assert run.task._mean(losses, rows, ALL) == (1 + 2 + 0.25 * 4) / 2.25
    plain = training(read(rare), oversample="smote")
    assert plain.task._mean(losses, rows, ALL) == losses.mean()


def test_the_last_epochs_show_real_images_only(rare: Path) -> None:
    run = training(read(rare), oversample="smote", real_last=0.3)  # of 4 epochs, rounded up
    synthetic = [run.task.shown.synthetic[np.concatenate(run.task.order(e))] for e in range(4)]
    assert [bool(found.any()) for found in synthetic] == [True, True, False, False]
    assert [len(found) for found in synthetic] == [48] * 4
    labels = run.task.shown.labels[np.concatenate(run.task.order(3))]
    assert np.bincount(labels).tolist() == [12] * 4


def test_no_image_is_moved_in_the_last_epochs(rare: Path) -> None:
    run = training(read(rare), real_last=0.5)
    moved = []
    for _ in range(4):
        for batch in run.batches():
            run.take_step(batch)
        moved.append(run.end_epoch()["moved"])
    assert moved == [36, 36, 0, 0]


def test_what_is_not_real_is_normalised_apart(rare: Path) -> None:
    """The statistics kept are those of real images, and the checkpoint is the usual one."""
    run = training(read(rare), oversample="smote", split_norm=True)
    rows = np.array([0, 12, 30, 40])  # two originals, two synthetic images
    norm = next(m for m in run.task.model.modules() if isinstance(m, SplitNorm))
    seen: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    run.task.compute(rows, run.place)
    expected = seen[0][:2].mean((0, 2, 3)) * 0.1  # the momentum of the running mean
    torch.testing.assert_close(norm.running_mean, expected)
    plain = training(read(rare), oversample="smote")
    assert run.task.model.state_dict().keys() == plain.task.model.state_dict().keys()


def test_a_tenth_of_thirty_epochs_is_three(rare: Path) -> None:
    assert training(read(rare), real_last=0.1, epochs=30).task.real_from == 27
