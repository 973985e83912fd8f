from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.models.bagan import Bagan, gaussian
from imbsynth.models.generators import GeneratorShape, Turn, frozen

SHAPE = GeneratorShape(1, 9, 8, 5, (12, 6, 3))


def drawn(count: int, noise_dim: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, noise_dim, generator=rng), torch.arange(count) % 3


def turn(model: Bagan) -> Turn:
    images = torch.rand(6, 1, 9, 8, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    return Turn(images, labels, drawn(2, model.noise_dim), drawn(6, model.noise_dim, 1))


def gradients(model: Bagan, loss: torch.Tensor) -> set[str]:
    """The parts of the network that a loss would change."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    moved = [n for n, w in model.named_parameters() if w.grad is not None and w.grad.any()]
    return {".".join(name.split(".")[:2]).removesuffix(".weight") for name in moved} - {"head.bias"}


def test_a_gaussian_in_the_plane_by_hand() -> None:
    mean, root = gaussian(np.array([[0.0, 0], [4, 0], [0, 2], [4, 2]]))
    assert mean.tolist() == [2, 1]
    assert root @ root == pytest.approx(np.diag([16 / 3, 4 / 3]))


def test_a_class_of_few_images_varies_in_every_direction() -> None:
    points = np.array([[1.0, 1, 0, 0], [-1, -1, 0, 0], [0.5, -0.5, 0, 0]])
    mean, root = gaussian(points)
    values = np.linalg.eigvalsh(root @ root)
    assert mean == pytest.approx(points.mean(0))
    assert values.min() > 0.01
    assert values.sum() == pytest.approx(np.cov(points.T, bias=True).trace())  # Ledoit and Wolf's


def test_a_single_image_is_all_that_its_class_has() -> None:
    mean, root = gaussian(np.array([[3.0, 4.0]]))
    assert mean.tolist() == [3, 4]
    assert not root.any()


@given(n=st.integers(2, 30), d=st.integers(1, 8), seed=st.integers(0, 999))
@settings(max_examples=25)
def test_the_root_of_a_covariance_is_symmetric_and_gives_it_back(n: int, d: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, d))
    root = gaussian(points)[1]
    assert root == pytest.approx(root.T)
    if n > d:
        assert root @ root == pytest.approx(np.atleast_2d(np.cov(points.T)), abs=1e-9)


def test_what_is_generated_has_the_mean_and_covariance_of_its_class() -> None:
    model = Bagan(GeneratorShape(1, 8, 8, 2, (50, 50)))
    rng = np.random.default_rng(0)
    classes = [rng.normal(size=(50, 2)) * [3, 1] + [5, 0], rng.normal(size=(50, 2)) - [5, 0]]
    model.settle([torch.from_numpy(points) for points in classes])
    model.autoencoder.decode = lambda latents: latents  # type: ignore[method-assign]
    for label, points in enumerate(classes):
        noise = torch.randn(20_000, 2)
        made = model.generate(noise, torch.full((20_000,), label)).double().numpy()
        # 20,000 draws: a mean is known to 3 / sqrt(20000) = 0.02, a variance to 1 %
        assert made.mean(0) == pytest.approx(points.mean(0), abs=0.1)
        assert np.cov(made.T) == pytest.approx(np.cov(points.T), abs=0.4)


def test_each_loss_reaches_its_own_player_only() -> None:
    model = Bagan(SHAPE)
    model.settle([torch.randn(9, 5) for _ in range(3)])
    _, told, taken = model.play(turn(model))
    assert gradients(model, told) == {"head", "autoencoder.trunk"}
    assert gradients(model, model.play(turn(model))[2]) == {"autoencoder.decoder"}
    assert taken.requires_grad


def test_every_weight_has_a_gradient_in_the_first_stage() -> None:
    model = Bagan(SHAPE)
    torch.stack(list(model.pretrain(*turn(model)[:2]))).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_the_losses_by_hand_where_the_discriminator_says_nothing() -> None:
    model = Bagan(SHAPE)
    model.settle([torch.randn(9, 5) for _ in range(3)])
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    recon, told, taken = model.play(turn(model))
    assert recon == 0
    assert [told.item(), taken.item()] == pytest.approx([np.log(4)] * 2)  # three classes and one


def test_a_frozen_network_passes_gradients_on_and_keeps_none() -> None:
    layer = torch.nn.Linear(2, 1)
    point = torch.tensor([[1.0, 2.0]], requires_grad=True)
    made = frozen(layer)(point)
    made.sum().backward()
    assert torch.equal(made, layer(point))
    assert point.grad is not None
    assert torch.equal(point.grad, layer.weight)
    assert layer.weight.grad is None
