from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig, GenerateConfig
from imbsynth.engine import generate
from imbsynth.engine.events import silent
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.spaces import Pixels
from imbsynth.engine.training.classifier import ClassifierTraining, Validation, best_of
from imbsynth.engine.training.oversampling import minority, training_plan
from imbsynth.store.images import read_images
from tests.conftest import MakeFolder

CPU = torch.device("cpu")


def read(src: Path) -> Labelled:
    return read_labelled(src, size=None, channels=None, skip_unreadable=False, on_event=silent)


def settings(**options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {"augment": "none", "batch_size": 8, "epochs": 4, "tau": 1.0}
    return AosTrainConfig(src=Path("src"), out=Path("out.safetensors"), **small | options)


def training(images: Labelled, **options: Any) -> ClassifierTraining:
    members = dict(zip(images.classes, images.members(), strict=True))
    val = Validation(torch.from_numpy(images.pixels), images.labels)
    return ClassifierTraining(settings(**options), members, Pixels(images, CPU, 8), val, "fp32")


@pytest.mark.parametrize(
    ("oversample", "expected"),
    [
        ("none", [12, 5, 2, 1]),
        ("rus", [1, 1, 1, 1]),
        ("ros", [12, 12, 12, 12]),
        ("aos", [12, 12, 12, 12]),
        ("smote", [12, 12, 12, 12]),
    ],
)
def test_class_sizes_after_balancing(rare: Path, oversample: Any, expected: list[int]) -> None:
    images = read(rare)
    members = dict(zip(images.classes, images.members(), strict=True))
    plan = training_plan(settings(oversample=oversample), members, Pixels(images, CPU, 8))
    assert np.bincount(plan.label).tolist() == expected
    assert (images.labels[plan.base] == plan.label).all()
    if oversample != "rus":  # every original once, before any copy
        assert sorted(plan.base[: len(images.labels)].tolist()) == list(range(len(images.labels)))


def test_smote_trains_on_the_images_that_generate_writes(rare: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst", synthetic_only=True))
    run = training(read(rare), oversample="smote")
    rows = np.flatnonzero(run.plan.number)
    files = [run.plan.file(int(row), ["common", "few", "pair", "single"]) for row in rows]
    written = read_images(tmp_path / "dst", files).pixels
    seen = run.batch_images(rows) * 255
    torch.testing.assert_close(seen, torch.from_numpy(written).float(), atol=1e-3, rtol=0)


def test_minority_classes_are_smaller_than_the_largest() -> None:
    members = {name: np.arange(n) for name, n in {"a": 10, "b": 10, "c": 9, "d": 1}.items()}
    assert minority(members, 1.0).tolist() == [False, False, True, True]
    assert minority(members, 0.5).tolist() == [False, False, False, True]


def test_only_minority_images_are_moved_and_by_epsilon(rare: Path) -> None:
    run = training(read(rare), epsilon=0.1)
    everything = np.arange(len(run.plan.label))
    before = run.batch_images(everything)
    weights = {name: value.clone() for name, value in run.model.state_dict().items()}
    next(iter(run.batches()))
    after = run.batch_images(everything)
    assert run.moved.tolist() == (run.plan.label > 0).tolist()  # tau is 1
    distance = (after - before).abs().amax((1, 2, 3))
    assert (distance[~torch.from_numpy(run.moved)] == 0).all()
    torch.testing.assert_close(
        distance[torch.from_numpy(run.moved)], torch.full((36,), 0.1), atol=1e-5, rtol=0
    )
    assert after.min() >= 0
    assert after.max() <= 1
    assert all(torch.equal(value, weights[n]) for n, value in run.model.state_dict().items())


def test_moved_images_are_those_of_fgsm_on_the_whole_set(rare: Path) -> None:
    """Each image moved once and kept as int8, against every copy moved by itself in floats."""
    run = training(read(rare), epsilon=0.05)
    next(iter(run.batches()))
    rows = np.flatnonzero(run.moved)
    images = (run.pixels[run.plan.base[rows]].float() / 255).requires_grad_()
    run.model.eval()
    loss = torch.nn.functional.cross_entropy(
        run.model(images), torch.from_numpy(run.plan.label[rows]), reduction="sum"
    )
    (gradient,) = torch.autograd.grad(loss, images)
    expected = (images + 0.05 * gradient.sign()).clamp(0, 1).detach()
    found = run.batch_images(rows)
    # An offset that ends at black or white is kept to the nearest 127th of epsilon.
    torch.testing.assert_close(found, expected, atol=0.05 / 254 + 1e-6, rtol=0)


def test_tau_is_the_probability_of_being_moved(make_folder: MakeFolder) -> None:
    run = training(read(make_folder({"a": 400, "b": 4})), tau=0.3)
    next(iter(run.batches()))
    assert not run.moved[run.plan.label == 0].any()
    assert abs(run.moved.sum() - 0.3 * 400) < 5 * (400 * 0.3 * 0.7) ** 0.5
    assert len(run.offsets) <= 4  # an image each, however many copies


def test_what_is_moved_is_drawn_anew_every_second_epoch(rare: Path) -> None:
    run = training(read(rare), tau=0.5)
    drawn = []
    for _ in range(4):
        run.start_clock()
        for batch in run.batches():
            run.take_step(batch)
        drawn.append(run.moved.tolist())
        run.end_epoch()
    assert drawn[0] == drawn[1] != drawn[2] == drawn[3]


def test_an_epoch_of_equal_budget(rare: Path) -> None:
    for oversample in ("none", "ros", "rus"):
        run = training(read(rare), oversample=oversample, images_per_epoch=30)
        assert sum(map(len, run.batches())) == 30


def test_a_loss_that_is_no_number_is_seen(rare: Path) -> None:
    run = training(read(rare), lr=0.5)
    assert run.finite
    next(run.model.parameters()).data.fill_(float("inf"))
    run.take_step(next(iter(run.batches())))
    assert not run.finite


def test_of_equal_epochs_the_surest_is_kept() -> None:
    history = [
        {"epoch": 1, "f1_macro": 0.8, "val_loss": 0.1},
        {"epoch": 2, "f1_macro": 0.9, "val_loss": 0.5},
        {"epoch": 3, "f1_macro": 0.9, "val_loss": 0.2},
        {"epoch": 4, "f1_macro": 0.9, "val_loss": 0.2},
    ]
    assert best_of(history)["epoch"] == 3
