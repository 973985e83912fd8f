"""The last map of features of a network: what still knows where in the image something is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from imbsynth.models.classifiers import Classifier

ATTENTION = ("vit_", "swin_", "maxvit")  # torchvision's networks whose features are no such maps


def check_has_map(name: str) -> None:
    """Raise ValueError for a network, by its name, that is not one of convolutions."""
    if name.startswith(ATTENTION):
        raise ValueError(f"{name} is a network of attention, not of convolutions")


def last_map(model: Classifier) -> nn.Module:
    """The module with convolutions that is the last to give a map (n, c, h, w) of several pixels.

    For `cnn` its last convolution; for a ResNet the last of its blocks. Raises ValueError for a
    network without one.
    """
    check_has_map(model.name)
    found: list[nn.Module] = []

    def keep(module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and max(output.shape[2:]) > 1:
            found.append(module)

    hooks = [
        module.register_forward_hook(keep)
        for module in model.modules()
        if any(isinstance(part, nn.Conv2d) for part in module.modules())
    ]
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *model.shape, device=model.mean.device))
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError("its maps of features are single pixels")
    return found[-1]
