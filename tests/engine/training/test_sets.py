from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.engine.events import silent
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.sources.spaces import Pixels
from imbsynth.engine.training.sets import training_set

CPU = torch.device("cpu")


def config(oversample: str) -> AosTrainConfig:
    return AosTrainConfig(src=Path("src"), out=Path("out.safetensors"), oversample=oversample)


@pytest.mark.parametrize(
    ("oversample", "expected"),
    [
        ("none", [12, 5, 2, 1]),
        ("rus", [1, 1, 1, 1]),
        ("ros", [12, 12, 12, 12]),
        ("aos", [12, 12, 12, 12]),
        ("smote", [12, 12, 12, 12]),
        ("transfer", [12, 12, 12, 12]),
    ],
)
def test_class_sizes_after_balancing(rare: Path, oversample: str, expected: list[int]) -> None:
    images = read_labelled(rare, size=None, channels=None, skip_unreadable=False, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = Pixels(images, images.members(), CPU, 8)
    rows = training_set(config(oversample), members, space, space).rows
    base = rows.parents[:, 0]
    assert np.bincount(rows.labels).tolist() == expected
    assert (images.labels[base] == rows.labels).all()
    if oversample != "rus":  # every original once, before any copy
        assert sorted(base[: len(images.labels)].tolist()) == list(range(len(images.labels)))


@pytest.mark.parametrize("oversample", ["ros", "smote", "transfer"])
def test_rows_of_one_identity_show_one_image(rare: Path, oversample: str) -> None:
    images = read_labelled(rare, size=None, channels=None, skip_unreadable=False, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = Pixels(images, images.members(), CPU, 8)
    shown = training_set(config(oversample), members, space, space)
    assert len(shown) == len(shown.labels) == len(shown.identity) == 48
    pixels = shown.images(np.arange(len(shown)))
    assert pixels.dtype == torch.float32
    assert 0 <= pixels.min() <= pixels.max() <= 1
    first: dict[int, int] = {}
    for row, number in enumerate(shown.identity.tolist()):
        assert torch.equal(pixels[row], pixels[first.setdefault(number, row)])
    # 20 images, whatever the copies; the weight of a transferred image's base is 1, too.
    assert (len(first) == 20) == (oversample == "ros")
