"""Whether a training step fits into the memory, by what its network keeps for the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from imbsynth.configs import MIN_SIDE, size_text
from imbsynth.errors import UserError, option
from imbsynth.runtime import launched
from imbsynth.store.memory import free_memory, room

FLOAT = 4  # bytes
TRIED = 2  # images whose step is followed without computing it
COPIES = 4  # of a batch: as it is drawn, moved, augmented and normalised
# Of each weight: itself, its gradient, and the two means of Adam.
PER_WEIGHT = 4


class Step(NamedTuple):
    """A training step."""

    network: Callable[[], nn.Module]  # builds it; called where nothing is computed
    size: Sequence[int]  # (c, h, w) of the images
    batch_size: int
    passes: int = 1  # through the network before the gradient is computed
    moved: int = 0  # images that an attack moves at once


def check_memory(
    step: Step, kept: int, device: torch.device, *, smaller_batches: bool = True
) -> None:
    """Raise UserError, with sizes that fit, if training needs more memory than is free.

    smaller_batches: whether the command has an option for their size.
    kept: images that stay in memory, in bytes as they are. A step is not cut into smaller ones:
    batch normalisation would see other batches, and the weights would become others. Each of
    several processes computes its share of a step, and those of a machine share its memory.
    """
    free, place = _free(device), launched()
    if free is None:
        return
    processes = place.size if place else 1
    if place and device.type == "cpu":
        free //= place.local_size
    kept = _kept_pixels(kept * math.prod(step.size), free, device)
    fixed, per_image = needed(step)
    need = fixed + kept + -(-max(step.batch_size, step.moved) // processes) * per_image
    if need <= free:
        return
    share = max(0.0, (free - fixed) / (need - fixed))
    height, width = (_smaller(side, share) for side in step.size[1:])
    batch = max(2, min(step.batch_size, (free - fixed - kept) // per_image * processes))
    fix = f"use smaller images, at most {option('image_size')} {height}x{width}"
    if smaller_batches:
        fix += f", or smaller batches, at most {option('batch_size')} {batch}"
    if kept and need - kept <= free and device.type == "cpu":
        left = max(1, (free - need + kept) // 10**6)
        fix += f", or read the images from a file with {option('memory')} {left}MB"
    raise UserError(
        f"training in batches of {step.batch_size} images of {size_text(step.size[1:])} pixels "
        f"takes about {need / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free",
        fix,
    )


def needed(step: Step) -> tuple[int, int]:
    """Bytes that a step needs in float32, whatever the batch, and for each of its images.

    What is kept for the gradient, counted without computing anything, and twice the largest map:
    its gradient, and that of the layer before. In bf16 it is less.
    """
    with torch.device("meta"):
        network = step.network().train()
        images = torch.empty(TRIED, *step.size)
    kept = _kept(network, images.contiguous(memory_format=torch.channels_last))
    weights = sum(weight.numel() for weight in network.parameters())
    per_image = step.passes * sum(kept) + 2 * max(kept, default=0)
    pixels = COPIES * FLOAT * math.prod(step.size)
    return PER_WEIGHT * FLOAT * weights, per_image // TRIED + pixels


def _kept(network: nn.Module, images: Tensor) -> list[int]:
    """Bytes of each tensor, weights excepted, that is kept until the gradient is computed."""
    own = {id_of(value) for value in [*network.parameters(), *network.buffers()]}
    kept: dict[int, Tensor] = {}

    def keep(value: Tensor) -> Tensor:
        if id_of(value) not in own:
            kept.setdefault(id_of(value), value)
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        network(images)
    return [value.untyped_storage().nbytes() for value in kept.values()]


def id_of(value: Tensor) -> int:
    """A number that two tensors share if they lie in the same memory."""
    return value.untyped_storage()._cdata


def _kept_pixels(total: int, free: int, device: torch.device) -> int:
    """How many bytes of pixels stay in the device's memory: more than that lie elsewhere."""
    if device.type == "cuda":  # see Labelled.on
        return total if total <= free // 2 else 0
    return total if total <= room() else 0  # in a file


def _free(device: torch.device) -> int | None:
    """Bytes of the device's memory that are free; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return free_memory()


def _smaller(side: int, share: float) -> int:
    """A side of images with that share of the pixels, in steps of 8 pixels."""
    return max(MIN_SIDE, int(side * math.sqrt(share) / 8) * 8)
