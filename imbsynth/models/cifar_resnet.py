"""ResNets for images of about 32 pixels, without parameters in their shortcuts."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = 3  # each halves the map of the one before it and doubles its channels


class CifarResNet(nn.Module):
    """He et al. (2016), section 4.2: three stages of `blocks` blocks, with 6 `blocks` + 2 layers.

    (n, 3, h, w) -> (n, k) logits. `width` is the number of channels of the first stage: the
    paper's 16, or more for a wide network. The last map is averaged, so any size is taken.
    """

    def __init__(self, classes: int, *, blocks: int, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)
        )
        layers: list[nn.Module] = []
        channels = width
        for stage in range(STAGES):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                layers.append(Block(channels, width << stage, stride))
                channels = width << stage
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, h, w), normalised -> (n, k) logits."""
        return self.head(self.blocks(self.first(images)).mean((2, 3)))


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut that costs no parameters (option A of He et al., 2016).

    Where the map shrinks, the shortcut takes every second pixel; where channels are added, half of
    the new ones, all zero, stand before the old ones and half behind, as in the code of Cao et al.
    (2019).
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, width - channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, width, h / stride, w / stride), rounded up."""
        shortcut = maps
        if self.stride > 1:
            shortcut = maps[:, :, :: self.stride, :: self.stride]
        if self.added:
            before = self.added // 2
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, before, self.added - before))
        return functional.relu(self.convolutions(maps) + shortcut, inplace=True)
