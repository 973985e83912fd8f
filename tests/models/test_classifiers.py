from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.models.cifar_resnet import Block
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.heads import COSINE, SCALE, head_of


def map_sizes(model: Classifier) -> list[tuple[int, ...]]:
    """(height, width, channels) after each convolution and maximum, as Table 1 lists them."""
    sizes: list[tuple[int, ...]] = []

    def note(_: nn.Module, __: object, output: torch.Tensor) -> None:
        sizes.append((*output.shape[2:], output.shape[1]))

    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            module.register_forward_hook(note)
    model.eval()(torch.zeros(1, *model.shape))
    return sizes


def test_cnn_is_table_1_of_the_aos_paper() -> None:
    model = Classifier("cnn", ImageShape(3, 32, 32), 10)
    assert map_sizes(model) == [
        (32, 32, 32), (30, 30, 32), (15, 15, 32), (15, 15, 64), (13, 13, 64), (6, 6, 64),
    ]  # fmt: skip
    dense = [module for module in model.modules() if isinstance(module, nn.Linear)]
    assert [(d.in_features, d.out_features) for d in dense] == [(6 * 6 * 64, 10)]


@pytest.mark.parametrize(
    ("shape", "blocks", "last"),
    [
        ((1, 28, 28), 2, (5, 5, 64)),
        ((1, 8, 8), 2, (1, 1, 64)),
        ((3, 8, 40), 2, (1, 8, 64)),
        ((3, 64, 64), 3, (6, 6, 128)),
        ((3, 150, 150), 4, (7, 7, 256)),
    ],
)
def test_cnn_follows_its_rule_at_other_sizes(
    shape: tuple[int, int, int], blocks: int, last: tuple[int, ...]
) -> None:
    model = Classifier("cnn", ImageShape(*shape), 5)
    assert len(map_sizes(model)) == 3 * blocks
    assert map_sizes(model)[-1] == last
    assert model(torch.zeros(2, *shape)).shape == (2, 5)
    assert model.features(torch.zeros(2, *shape)).shape == (2, last[0] * last[1] * last[2])


@pytest.mark.parametrize("channels", [1, 3])
def test_resnet18_keeps_small_images_at_full_size(channels: int) -> None:
    small = Classifier("resnet18", ImageShape(channels, 32, 32), 10)
    assert map_sizes(small)[0] == (32, 32, 64)
    assert map_sizes(small)[-1] == (4, 4, 512)
    large = Classifier("resnet18", ImageShape(channels, 96, 96), 10)
    assert map_sizes(large)[0] == (48, 48, 64)
    assert small.features(torch.zeros(2, channels, 32, 32)).shape == (2, 512)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "vit_b_32", "googlenet", "vgg11"])
def test_any_classifier_of_torchvision_is_built_by_name(name: str) -> None:
    with torch.device("meta"):
        model = Classifier(name, ImageShape(1, 64, 64), 7)
        assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 7)
        assert model.features(torch.zeros(2, 1, 64, 64)).ndim == 2


@pytest.mark.parametrize(
    ("name", "classes", "channels", "parameters"),
    [
        ("resnet32", 10, 64, 464_154),
        ("resnet32", 100, 64, 470_004),
        ("resnet32-wide", 10, 256, 7_386_186),
    ],
)
def test_resnet32_has_32_layers_and_no_parameters_in_its_shortcuts(
    name: str, classes: int, channels: int, parameters: int
) -> None:
    """He et al. (2016), table 6: 0.46 million."""
    model = Classifier(name, ImageShape(3, 32, 32), classes)
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    assert len(map_sizes(model)) == 31  # the dense layer is the 32nd
    assert map_sizes(model)[-1] == (8, 8, channels)


def test_a_shortcut_takes_every_second_pixel_between_channels_of_zeros() -> None:
    block = Block(2, 4, stride=2).eval()
    for weight in block.parameters():
        nn.init.zeros_(weight)
    maps = torch.rand(3, 2, 5, 4)
    expected = torch.zeros(3, 4, 3, 2)
    expected[:, 1:3] = maps[:, :, ::2, ::2]
    torch.testing.assert_close(block(maps), expected)


@pytest.mark.parametrize("name", ["cnn", "resnet32", "mobilenet_v3_small", "vgg11"])
def test_logits_of_a_cosine_head_are_cosines(name: str) -> None:
    model = Classifier(name, ImageShape(3, 32, 32), 4, COSINE).eval()
    images = torch.rand(2, 3, 32, 32)
    features, (_, head) = model.features(images), head_of(model)
    cosines = nn.functional.cosine_similarity(
        features[:, None], head.weight[None], dim=2, eps=1e-12
    )
    torch.testing.assert_close(model(images), SCALE * cosines)
    assert head.bias is None


def test_a_network_without_a_dense_layer_takes_no_other_head() -> None:
    with torch.device("meta"), pytest.raises(ValueError, match="no dense layer"):
        Classifier("squeezenet1_1", ImageShape(3, 64, 64), 4, COSINE)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no classifier 'resnet19'"):
        Classifier("resnet19", ImageShape(3, 32, 32), 10)


def test_normalisation_is_part_of_the_model() -> None:
    model = Classifier("cnn", ImageShape(3, 8, 8), 2).eval()
    images = torch.rand(4, 3, 8, 8)
    plain = model(images)
    model.mean.copy_(torch.tensor([0.1, 0.2, 0.3])[:, None, None])
    model.deviation.fill_(0.5)
    torch.testing.assert_close(model(images * 0.5 + model.mean), plain)
    assert {"mean", "deviation"} <= model.state_dict().keys()
