from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from imbsynth.core.attacks import (
    ascend,
    fgsm,
    input_gradient,
    l2,
    pgd,
    unit_root_mean_square,
)
from imbsynth.core.tables import ATTACKS

RNG = np.random.default_rng(0)


def summed_loss(images: Tensor, model: nn.Module, labels: Tensor) -> Tensor:
    return functional.cross_entropy(model(images), labels, reduction="sum")


def linear_softmax(pixels: int, classes: int, seed: int) -> nn.Sequential:
    rng = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes))
    for weight in model.parameters():
        weight.data.normal_(generator=rng)
    return model


@given(seed=st.integers(0, 2**32 - 1), epsilon=st.floats(0.001, 0.5))
def test_a_linear_classifier_moves_images_along_its_closed_form_gradient(
    seed: int, epsilon: float
) -> None:
    model = linear_softmax(6, 3, seed).double()
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.random((5, 1, 2, 3)))
    labels = torch.from_numpy(rng.integers(3, size=5))
    weight, bias = (value.detach().numpy() for value in model.parameters())

    # dL/dx = W^T (softmax(W x + b) - onehot(y))
    x = images.numpy().reshape(5, 6)
    logits = x @ weight.T + bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    gradient = (p - np.eye(3)[labels.numpy()]) @ weight
    expected = np.clip(x + epsilon * np.sign(gradient), 0, 1)

    loss = partial(summed_loss, model=model, labels=labels)
    np.testing.assert_allclose(input_gradient(images, loss).numpy().reshape(5, 6), gradient)
    np.testing.assert_allclose(
        fgsm(images, loss, RNG, epsilon=epsilon).numpy().reshape(5, 6), expected
    )


def test_fgsm_by_hand() -> None:
    # L = -log softmax(y = 0) of logits (x1 - x2, 0): the loss falls with x1 and rises with x2.
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    images = torch.tensor([0.5, 0.95]).reshape(1, 1, 1, 2)
    loss = partial(summed_loss, model=model, labels=torch.tensor([0]))
    moved = fgsm(images, loss, RNG, epsilon=0.1)
    torch.testing.assert_close(moved.flatten(), torch.tensor([0.4, 1.0]))  # clipped at white


def convolutional() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)]
        return nn.Sequential(*layers).double().eval()


@pytest.mark.filterwarnings("ignore:.torch.jit.script:FutureWarning")  # torch.func's own
def test_the_gradient_is_that_of_forward_differentiation_image_by_image() -> None:
    """torch.func's forward mode shares no code with the backward pass that fgsm uses."""
    model = convolutional()
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.random((3, 3, 6, 6)))
    labels = torch.tensor([0, 2, 1])

    def one(image: Tensor, label: Tensor) -> Tensor:
        return summed_loss(image[None], model, label[None])

    forward = torch.stack(
        [torch.func.jacfwd(one)(image, label) for image, label in zip(images, labels, strict=True)]
    )
    found = input_gradient(images, partial(summed_loss, model=model, labels=labels))
    torch.testing.assert_close(found, forward)


def test_no_weight_gets_a_gradient_and_no_statistic_moves() -> None:
    model = convolutional()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch.rand(4, 3, 6, 6, dtype=torch.float64)
    loss = partial(summed_loss, model=model, labels=torch.zeros(4, dtype=torch.int64))
    fgsm(images, loss, RNG, epsilon=0.1)
    assert all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("steps", [1, 5])
def test_more_steps_stay_in_the_ball_and_climb(steps: int) -> None:
    model = convolutional()
    images = torch.rand(8, 3, 6, 6, dtype=torch.float64)
    loss = partial(summed_loss, model=model, labels=torch.zeros(8, dtype=torch.int64))
    moved = ascend(images, images, loss, epsilon=0.1, step=0.1 / steps, steps=steps)
    assert (moved - images).abs().max() <= 0.1 + 1e-12
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert loss(moved) > loss(images)


def attacked(name: str, images: Tensor, epsilon: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The images as an attack moves them, and the loss before and after."""
    loss = partial(summed_loss, model=convolutional(), labels=torch.arange(len(images)) % 3)
    options = {"epsilon": epsilon, "attack_steps": 5, "attack_step_size": None}
    entry = ATTACKS[name]
    given = {option: options[option] for option in entry.options}
    moved = entry.load()(images, loss, np.random.default_rng(seed), **given)
    return moved, torch.stack([loss(images), loss(moved)]).detach()


@pytest.mark.parametrize("name", ["fgsm", "pgd", "l2"])
@pytest.mark.parametrize("epsilon", [0.01, 0.1])
def test_every_attack_climbs_and_stays_in_its_ball(name: str, epsilon: float) -> None:
    images = torch.from_numpy(np.random.default_rng(1).random((6, 3, 6, 6)))
    moved, losses = attacked(name, images, epsilon)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert losses[1] > losses[0]
    offsets = (moved - images).flatten(1)
    norms = offsets.square().mean(1).sqrt() if name == "l2" else offsets.abs().amax(1)
    assert (norms <= epsilon + 1e-12).all()


def test_pgd_of_one_step_from_the_image_itself_is_fgsm() -> None:
    images = torch.rand(4, 3, 6, 6, dtype=torch.float64)
    loss = partial(summed_loss, model=convolutional(), labels=torch.tensor([0, 1, 2, 0]))
    one = ascend(images, images, loss, epsilon=0.05, step=0.05, steps=1)
    assert torch.equal(one, fgsm(images, loss, RNG, epsilon=0.05))


def test_the_start_of_pgd_is_drawn_from_the_generator() -> None:
    images = torch.rand(3, 3, 6, 6, dtype=torch.float64)
    loss = partial(summed_loss, model=convolutional(), labels=torch.arange(3))

    def start(seed: int) -> Tensor:
        rng = np.random.default_rng(seed)
        return pgd(images, loss, rng, epsilon=0.1, attack_steps=1, attack_step_size=1e-9)

    assert torch.equal(start(0), start(0))
    assert not torch.equal(start(0), start(1))
    assert 0.09 < (start(0) - images).abs().max() <= 0.1 + 1e-8


def test_l2_by_hand() -> None:
    """The gradient (3, 4) has the length 5: steps of 0.1 sqrt(2) / 5 times it."""
    images = torch.tensor([0.5, 0.5]).reshape(1, 1, 1, 2)
    weights = torch.tensor([3.0, 4.0])
    moved = l2(images, lambda x: (x.flatten() * weights).sum(), RNG, epsilon=0.1)
    step = 0.1 * 2**0.5 / 5
    torch.testing.assert_close(moved.flatten(), torch.tensor([0.5 + 3 * step, 0.5 + 4 * step]))


def test_images_without_a_gradient_stay() -> None:
    images = torch.rand(2, 1, 3, 3)
    moved = l2(images, lambda x: (0 * x).sum(), RNG, epsilon=0.1)
    assert torch.equal(moved, images)
    tiny = unit_root_mean_square(torch.full((1, 4), 1e-30))
    torch.testing.assert_close(tiny, torch.ones(1, 4))
