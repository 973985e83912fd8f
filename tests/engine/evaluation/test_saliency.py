from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from imbsynth.engine.evaluation.saliency import check_network, grad_cam
from imbsynth.errors import UserError
from imbsynth.figures.saliency import overlay
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.last_map import last_map
from imbsynth.runtime import initialised


def classifier(name: str, shape: ImageShape) -> Classifier:
    return initialised(lambda: Classifier(name, shape, 3), seed=0).eval()


def images(shape: ImageShape, count: int = 4) -> Tensor:
    return torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
    )


def test_by_hand() -> None:
    model = classifier("cnn", ImageShape(1, 2, 2))
    convolution, dense = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(4, 3, bias=False)
    model.network = nn.Sequential(convolution, nn.Flatten(), dense)
    with torch.no_grad():
        convolution.weight.fill_(2)
        # Mean gradients 2, -1 and 0.
        dense.weight.copy_(torch.tensor([[8.0, 0, 0, 0], [-1, -1, -1, -1], [1, -1, 1, -1]]))
    pixels = torch.tensor([[[[0, 51], [102, 204]]]], dtype=torch.uint8)
    found = grad_cam(model, pixels.expand(3, -1, -1, -1), torch.tensor([0, 1, 2]))
    np.testing.assert_allclose(found[0], [[0, 0.25], [0.5, 1]], rtol=1e-6)
    assert not found[1:].any()


@pytest.mark.parametrize("name", ["cnn", "resnet32", "resnet18"])
def test_the_equations_of_the_paper_give_the_same(name: str) -> None:
    shape = ImageShape(3, 24, 20)
    model, pixels, targets = classifier(name, shape), images(shape), torch.tensor([0, 2, 1, 0])
    maps: list[Tensor] = []
    hook = last_map(model).register_forward_hook(lambda *given: maps.append(given[2]))
    logits = model(pixels / 255)
    hook.remove()
    chosen = logits.gather(1, targets[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, maps[0])
    heat = (gradient.mean((2, 3), keepdim=True) * maps[0]).sum(1, keepdim=True).relu()
    heat = nn.functional.interpolate(heat, (24, 20), mode="bilinear")[:, 0]
    expected = heat / heat.amax((1, 2), keepdim=True).clamp(min=1e-30)
    found = grad_cam(model, pixels, targets)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)
    assert found.max() == 1


@pytest.mark.parametrize(
    ("name", "size"),
    [("cnn", 11), ("resnet32", 8), ("resnet18", 4), ("mobilenet_v3_small", 2)],
)
def test_the_last_map_is_large_enough_to_say_where(name: str, size: int) -> None:
    side = 64 if name == "mobilenet_v3_small" else 32 if name != "cnn" else 28
    model = classifier(name, ImageShape(3, side, side))
    shapes: list[torch.Size] = []
    hook = last_map(model).register_forward_hook(lambda *given: shapes.append(given[2].shape))
    with torch.no_grad():
        model(torch.zeros(1, 3, side, side))
    hook.remove()
    assert list(shapes[0][2:]) == [size, size]
    assert grad_cam(model, images(model.shape), torch.tensor([0, 1, 2, 0])).shape == (4, side, side)


def test_a_network_of_attention_is_refused() -> None:
    model = classifier("cnn", ImageShape(3, 32, 32))
    model.name = "vit_b_16"
    with pytest.raises(UserError, match="vit_b_16 is a network of attention"):
        check_network(model)


def test_a_map_is_drawn_over_the_image_in_gray() -> None:
    pixels = np.full((3, 2, 2), 200, np.uint8)
    drawn = overlay(pixels, np.array([[0, 1], [0, 0]], np.float32))
    assert drawn.shape == (3, 2, 2)
    assert len(np.unique(drawn.reshape(3, 4)[:, [0, 2, 3]], axis=1).T) == 1
    assert drawn[:, 0, 1].mean() > drawn[:, 0, 0].mean() + 80
