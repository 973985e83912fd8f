"""The last layer of a classifier: which it is, and what may stand in its place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

LINEAR, COSINE = "linear", "cosine"
HEADS = (LINEAR, COSINE)
SCALE = 30.0  # of the cosines, in the code of Cao et al. (2019)


class CosineHead(nn.Linear):
    """s cos(x, w_k): a dense layer of unit vectors, without bias (Cao et al., 2019, section 3.1).

    (n, d) features -> (n, k) logits in [-s, s]. The scale is part of the layer, so that softmax of
    the logits is what training fitted.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__(features, classes, bias=False)

    def reset_parameters(self) -> None:
        """Uniform directions in a cube, as in the authors' code; their lengths do not matter."""
        nn.init.uniform_(self.weight, -1, 1)
        with torch.no_grad():
            self.weight.copy_(functional.normalize(self.weight))

    def forward(self, features: Tensor) -> Tensor:
        return SCALE * functional.linear(
            functional.normalize(features), functional.normalize(self.weight)
        )


def head_of(network: nn.Module) -> tuple[str, nn.Linear]:
    """The last dense layer and its name; ValueError for a network without one."""
    dense = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear)]
    if not dense:
        raise ValueError("it has no dense layer")
    return dense[-1]


def with_cosine_head(network: nn.Module) -> nn.Module:
    """The network, its last dense layer replaced; ValueError for one that has none."""
    name, dense = head_of(network)
    network.set_submodule(name, CosineHead(dense.in_features, dense.out_features))
    return network
