"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation, with ReLU6 (Tan and Le, 2019)."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional


class Scaling(NamedTuple):
    """By how much a variant differs from the smallest one."""

    width: float  # of the channels between stem and head
    depth: float  # of the blocks between the first stage and the last
    side: int  # pixels of the images that its weights were trained on
    dropout: float


class Stage(NamedTuple):
    """Blocks of one kind; only the first of them has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


SCALINGS = {
    "efficientnet_lite0": Scaling(1.0, 1.0, 224, 0.2),
    "efficientnet_lite1": Scaling(1.0, 1.1, 240, 0.2),
    "efficientnet_lite2": Scaling(1.1, 1.2, 260, 0.3),
}
STEM, HEAD = 32, 1280  # channels, the same in all variants
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class SameConv(nn.Conv2d):
    """A convolution without bias whose map has ceil(side / stride) pixels, as in TensorFlow.

    Where the padding is odd, right and bottom get the pixel more: the published weights were
    trained so.
    """

    def __init__(
        self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, out, ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        # The stride is 1 or 2: what the last step lacks is kernel - stride, or one more.
        rows, columns = (kernel - stride + side % stride for side in maps.shape[2:])
        if rows or columns:
            sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
            maps = functional.pad(maps, sides)
        return super().forward(maps)


class Block(nn.Module):
    """Mobile inverted bottleneck: expand, filter each channel, project (Sandler et al., 2018)."""

    def __init__(self, channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inner = channels * stage.expansion
        self.expand_conv: nn.Module = nn.Identity()
        self.bn0: nn.Module = nn.Identity()
        if stage.expansion > 1:
            self.expand_conv, self.bn0 = SameConv(channels, inner, 1), _norm(inner)
        self.depthwise_conv = SameConv(inner, inner, stage.kernel, stride, groups=inner)
        self.bn1 = _norm(inner)
        self.project_conv, self.bn2 = SameConv(inner, stage.channels, 1), _norm(stage.channels)
        self.expands = stage.expansion > 1
        self.is_residual = stride == 1 and channels == stage.channels

    def forward(self, maps: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, channels, h / stride, w / stride)."""
        found = maps
        if self.expands:
            found = functional.relu6(self.bn0(self.expand_conv(found)))
        found = functional.relu6(self.bn1(self.depthwise_conv(found)))
        found = self.bn2(self.project_conv(found))
        return found + maps if self.is_residual else found


class EfficientNetLite(nn.Module):
    """(n, 3, h, w) normalised images -> (n, k) logits.

    The layers of the models that Google published in 2020; parts are named as in the weight files,
    without leading underscores. A departure: training drops no whole blocks (stochastic depth),
    which is for hundreds of epochs.
    """

    def __init__(self, name: str, classes: int) -> None:
        """name: one of SCALINGS."""
        super().__init__()
        scaling = SCALINGS[name]
        self.conv_stem, self.bn0 = SameConv(3, STEM, 3, 2), _norm(STEM)
        blocks, channels = [], STEM
        for number, stage in enumerate(STAGES):
            is_end = number in (0, len(STAGES) - 1)
            repeats = stage.repeats if is_end else math.ceil(stage.repeats * scaling.depth)
            scaled = stage._replace(channels=_scaled(stage.channels, scaling.width))
            for i in range(repeats):
                blocks.append(Block(channels, scaled, 1 if i else stage.stride))
                channels = scaled.channels
        self.blocks = nn.Sequential(*blocks)
        self.conv_head, self.bn1 = SameConv(channels, HEAD, 1), _norm(HEAD)
        self.dropout = nn.Dropout(scaling.dropout)
        self.fc = nn.Linear(HEAD, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, k)."""
        maps = self.blocks(functional.relu6(self.bn0(self.conv_stem(images))))
        maps = functional.relu6(self.bn1(self.conv_head(maps)))
        return self.fc(self.dropout(maps.mean((2, 3))))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _scaled(channels: int, width: float) -> int:
    """Channels times width, rounded to a multiple of 8, and by at most a tenth down."""
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8
