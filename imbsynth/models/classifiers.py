"""Classifiers by name: the AOS paper's network, ResNets for small images, and published ones."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from imbsynth.models.cifar_resnet import CifarResNet
from imbsynth.models.efficientnet_lite import SCALINGS, EfficientNetLite
from imbsynth.models.heads import COSINE, LINEAR, head_of, with_cosine_head

WIDTHS = (32, 64, 128, 256)  # of the blocks of `cnn`; the paper prints the first two
LAST_MAP = 8  # pixels: blocks are added until the map is no larger
SMALL = 64  # pixels: up to here ResNet keeps its first map at full size

CNN = "cnn"
SMALL_RESNETS = {"resnet32": 16, "resnet32-wide": 64}  # channels of the first stage
OF_TIMM = "timm/"  # what the names of its networks begin with


class ImageShape(NamedTuple):
    """The images that a classifier takes."""

    channels: int  # 1 or 3
    height: int  # pixels
    width: int  # pixels


class Classifier(nn.Module):
    """A network that normalises images itself: (n, c, h, w) in [0, 1] -> (n, k) logits."""

    mean: Tensor  # (c, 1, 1), in the [0, 1] unit; (3, 1, 1) of published weights
    deviation: Tensor  # likewise

    def __init__(
        self,
        name: str,
        shape: ImageShape,
        classes: int,
        head: str = LINEAR,
        *,
        as_published: bool = False,
    ) -> None:
        """head: "linear", or "cosine"; ValueError where the network has no head to replace.

        as_published: so that published weights fit, whatever the size of the images.
        """
        super().__init__()
        self.name, self.shape, self.classes, self.head = name, shape, classes, head
        channels = 3 if as_published else shape.channels  # gray images become three channels
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))
        network = _network(name, shape, classes)
        if not as_published:
            _fit_to_small(network, name, shape)
        self.network = with_cosine_head(network) if head == COSINE else network

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> (n, k) logits."""
        normalised = (images - self.mean) / self.deviation
        if self.name != CNN:  # the others take colour
            normalised = normalised.expand(-1, 3, -1, -1)
        return self.network(normalised)

    def features(self, images: Tensor) -> Tensor:
        """(n, c, h, w) images in [0, 1] -> (n, d) inputs of the last dense layer.

        Raises ValueError for a network without a dense layer.
        """
        seen: list[Tensor] = []
        _, dense = head_of(self)
        hook = dense.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            self(images)
        finally:
            hook.remove()
        return seen[0].flatten(1)


def _network(name: str, shape: ImageShape, classes: int) -> nn.Module:
    """A network with fresh weights; ValueError for an unknown name."""
    if name == CNN:
        return _cnn(shape, classes)
    if name in SMALL_RESNETS:
        return CifarResNet(classes, blocks=5, width=SMALL_RESNETS[name])
    if name in SCALINGS:
        return EfficientNetLite(name, classes)
    if name.startswith(OF_TIMM):
        return _timm(name.removeprefix(OF_TIMM), classes)
    return _torchvision(name, shape, classes)


def _timm(name: str, classes: int) -> nn.Module:
    """One of timm's networks with fresh weights; ValueError for an unknown name."""
    import timm

    if not timm.is_model(name):
        raise ValueError(f"timm has no network {name!r}")
    network: nn.Module = timm.create_model(name, pretrained=False, num_classes=classes)
    return network


def _cnn(shape: ImageShape, classes: int) -> nn.Sequential:
    """The network of the AOS paper's table 1 at 32x32, and its pattern of blocks at other sizes.

    A block is a padded and an unpadded 3x3 convolution, each with batch normalisation and ReLU,
    and 2x2 maximum pooling. The paper's two blocks are used up to 35 pixels a side; for larger
    images, blocks of twice the channels (at most 256) are added until the map is at most 8 pixels
    across. Where a map is too small for the unpadded convolution or for pooling, it keeps its size.
    """
    layers: list[nn.Module] = []
    channels, size = shape.channels, (shape.height, shape.width)
    block = 0
    while block < 2 or max(size) > LAST_MAP:
        width = WIDTHS[min(block, len(WIDTHS) - 1)]
        trim = (int(size[0] < 3), int(size[1] < 3))  # padding of the second convolution
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(True)]
        layers += [nn.Conv2d(width, width, 3, padding=trim), nn.BatchNorm2d(width), nn.ReLU(True)]
        size = (size[0] - 2 + 2 * trim[0], size[1] - 2 + 2 * trim[1])
        pool = (min(2, size[0]), min(2, size[1]))
        layers += [nn.MaxPool2d(pool)]
        size = (size[0] // pool[0], size[1] // pool[1])
        channels, block = width, block + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * size[0] * size[1], classes))


def _torchvision(name: str, shape: ImageShape, classes: int) -> nn.Module:
    """One of torchvision's classifiers with fresh weights; ValueError for an unknown name."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise ValueError(f"torchvision has no classifier {name!r}")
    options: dict[str, object] = {"num_classes": classes}
    if name.startswith("vit_"):
        options["image_size"] = shape.height
    if name in ("googlenet", "inception_v3"):  # an auxiliary output would need a loss of its own
        options |= {"aux_logits": False, "init_weights": True}
    network: nn.Module = models.get_model(name, weights=None, **options)
    return network


def _fit_to_small(network: nn.Module, name: str, shape: ImageShape) -> None:
    """Give torchvision's ResNets a stem for small images, as is usual on CIFAR.

    Their own, which is for photographs, would leave a map of one pixel.
    """
    if name in SMALL_RESNETS or not name.startswith("resnet"):
        return
    if max(shape.height, shape.width) <= SMALL:
        network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
