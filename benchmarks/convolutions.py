"""The layers of small maps beside torch's own convolutions, forward and backward, in turns.

    python -m benchmarks.convolutions --sizes 4 7 8 14 16

Prints one JSON line: for maps of each size (the larger, before halving or after growing) and some
widths, how many times as fast ours are. The limits in `imbsynth/models/fast/switch.py` come from
it. With --forward, without gradients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.pairs import in_turns, times_as_long
from imbsynth.models.fast.convolutions import (
    KERNEL,
    Doubling,
    Growing,
    Halving,
    channels_last,
    halved,
)

WIDTHS = ((32, 64), (64, 128), (128, 256), (256, 512))  # channels of the larger and smaller map


def step(
    forward: Callable[[Tensor], Tensor], inputs: Tensor, weight: Tensor
) -> Callable[[], object]:
    """Forward, and the gradients of inputs and weights."""
    toward = torch.randn_like(forward(inputs))
    return lambda: torch.autograd.grad(forward(inputs), (inputs, weight), toward)


def only_forward(way: Callable[[Tensor], Tensor], inputs: Tensor) -> Callable[[], object]:
    """As a trained network works."""

    def work() -> Tensor:
        with torch.inference_mode():
            return way(inputs)

    return work


def pair(
    layer: Halving | Doubling | Growing, size: tuple[int, int], images: int, *, forward: bool
) -> dict[str, Any]:
    """Work by the library's layer and by ours."""
    channels_last(layer)
    inputs = torch.randn(images, layer.in_channels, *size).contiguous(
        memory_format=torch.channels_last
    )
    library = nn.Conv2d if isinstance(layer, Halving) else nn.ConvTranspose2d
    theirs = library.forward.__get__(layer)
    if forward:
        return {"torch": only_forward(theirs, inputs), "ours": only_forward(layer, inputs)}
    inputs.requires_grad_()
    return {
        "torch": step(theirs, inputs, layer.weight),
        "ours": step(layer, inputs, layer.weight),
    }


def main() -> None:
    """Time every layer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 4, 5, 7, 8, 10, 14, 16])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--forward", action="store_true", help="without gradients")
    options = parser.parse_args()
    result: dict[str, Any] = {"threads": torch.get_num_threads(), "images": options.images}
    for side in options.sizes:
        size = (side, side)
        for wide, narrow in WIDTHS:
            before = (side - KERNEL + 1, side - KERNEL + 1)
            layers: dict[str, tuple[Halving | Doubling | Growing, tuple[int, int]]] = {
                "halving": (Halving(wide, narrow, size), size),
                "doubling": (Doubling(narrow, wide, size, bias=False), halved(size)),
            }
            if side >= KERNEL:
                layers["growing"] = (Growing(narrow, wide, before), before)
            ratios = {}
            for name, (layer, start) in layers.items():
                ways = pair(layer, start, options.images, forward=options.forward)
                times = in_turns(ways, options.rounds)
                ratios[name] = times_as_long(times["torch"], times["ours"])["seconds"]["median"]
            result[f"{side}x{side}, {wide} and {narrow}"] = ratios
    print(json.dumps(result))


if __name__ == "__main__":
    main()
