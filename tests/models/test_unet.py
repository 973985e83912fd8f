from __future__ import annotations

import pytest
import torch
from torch import Tensor

from imbsynth.configs import TrainGeneratorConfig
from imbsynth.models.unet import FREQUENCIES, NETWORKS, UNet, UNetSize, waves
from imbsynth.options import option_fields

TINY = UNetSize(patch=2, width=8, blocks=1, deep=1)
CLASSES, CHANGES = 3, 5


def fresh(size: tuple[int, int, int], network: UNetSize = TINY) -> UNet:
    torch.manual_seed(0)
    model = UNet(size, CLASSES, CHANGES, network)
    for weight in model.parameters():  # those that begin at 0 too
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


def inputs(size: tuple[int, int, int], count: int = 4) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    images = torch.randn(count, *size, generator=rng)
    return images, torch.rand(count, generator=rng), torch.arange(count) % 3, torch.zeros(1, 5)


@pytest.mark.parametrize("patch", [1, 2])
@pytest.mark.parametrize(
    "size", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 8, 8), (3, 13, 21), (1, 9, 33), (1, 96, 96)]
)
def test_velocities_have_the_shape_of_the_images(size: tuple[int, int, int], patch: int) -> None:
    """Odd sides too, and sides of which one is small."""
    model = fresh(size, TINY._replace(patch=patch))
    found = model(*inputs(size))
    assert found.shape == (4, *size)
    assert found.isfinite().all()


def test_at_the_start_nothing_moves() -> None:
    model = UNet((1, 12, 12), CLASSES, CHANGES, TINY)
    assert not model(*inputs((1, 12, 12))).any()


def test_an_image_does_not_depend_on_the_others_of_its_batch() -> None:
    model, (images, times, labels, changes) = fresh((1, 28, 28)), inputs((1, 28, 28))
    together = model(images, times, labels, changes)
    other = images.clone()
    other[1:] = 0
    torch.testing.assert_close(model(other, times, labels, changes)[0], together[0])


def test_time_class_and_changes_matter_and_no_change_adds_nothing() -> None:
    model, (images, times, labels, changes) = fresh((1, 28, 28)), inputs((1, 28, 28))
    found = model(images, times, labels, changes)
    assert not torch.allclose(model(images, times * 0.5, labels, changes), found)
    assert not torch.allclose(model(images, times, labels * 0 + CLASSES, changes), found)
    assert not torch.allclose(model(images, times, labels, changes + 1), found)
    model.change.weight.data *= 7
    assert torch.equal(model(images, times, labels, changes), found)


def test_in_bf16_velocities_are_nearly_the_same() -> None:
    model, given = fresh((1, 28, 28)), inputs((1, 28, 28))
    found = model(*given)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(*given).float()
    # 8 bits of a number are kept in each of some ten layers.
    assert (rounded - found).abs().mean() < 0.03 * found.abs().mean()


def test_all_weights_learn() -> None:
    model, given = fresh((1, 28, 28)), inputs((1, 28, 28), count=12)
    model(*given[:2], given[2], torch.ones(12, CHANGES)).square().sum().backward()
    idle = [n for n, w in model.named_parameters() if w.grad is None or not w.grad.any()]
    assert idle == []


def test_times_are_told_apart() -> None:
    found = waves(torch.tensor([0.0, 0.001, 0.5, 0.999]))
    assert found.shape == (4, 2 * FREQUENCIES)
    assert torch.pdist(found).min() > 0.5


def test_networks_are_as_large_as_the_help_says() -> None:
    choices = {f.name: f.option.choices for f in option_fields(TrainGeneratorConfig)}["network"]
    assert choices.keys() == NETWORKS.keys()
    for name, network in NETWORKS.items():
        with torch.device("meta"):
            model = UNet((1, 28, 28), 10, CHANGES, network)
        millions = sum(weight.numel() for weight in model.parameters()) / 1e6
        assert float(choices[name].split(" million")[0]) == pytest.approx(millions, rel=0.06)
