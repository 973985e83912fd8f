from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imbsynth.configs import AosTrainConfig, GenerateConfig
from imbsynth.engine import generate
from imbsynth.engine.events import silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.sources.spaces import LatentSpace, PixelSpace, Space
from imbsynth.engine.training.sets import real_rows, training_set
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.store.images import AS_THEY_ARE

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
        ("amdo", [12, 12, 12, 12]),
        ("ccr", [12, 12, 12, 12]),
        ("rbo", [12, 12, 12, 12]),
    ],
)
def test_class_sizes_after_balancing(rare: Path, oversample: str, expected: list[int]) -> None:
    images = read_labelled(rare, AS_THEY_ARE, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 8)
    rows = training_set(config(oversample), members, space, space).rows
    base = rows.parents[:, 0]
    assert np.bincount(rows.labels).tolist() == expected
    assert (images.labels[base] == rows.labels).all()
    if oversample != "rus":  # every original once, before any copy
        assert sorted(base[: len(images.labels)].tolist()) == list(range(len(images.labels)))


@pytest.mark.parametrize("oversample", ["ros", "smote", "transfer", "ccr"])
def test_rows_of_one_identity_show_one_image(rare: Path, oversample: str) -> None:
    images = read_labelled(rare, AS_THEY_ARE, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 8)
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


@pytest.mark.parametrize("method", ["smote", "amdo", "ccr", "rbo"])
def test_an_epoch_shows_the_images_that_generate_writes(
    rare: Path, tmp_path: Path, method: str
) -> None:
    """In pixels, where points off the lines between images are kept as images."""
    images = read_labelled(rare, AS_THEY_ARE, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 500)
    shown = training_set(config(method), members, space, space)
    drawn = shown.images(np.flatnonzero(shown.synthetic)) * 255
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst", method=method))
    written = sorted((tmp_path / "dst").glob("*/synthetic-*.png"))
    expected = np.stack([np.array(Image.open(path)) for path in written])
    assert np.array_equal(drawn.round().byte().numpy()[:, 0], expected)


@pytest.mark.parametrize("latent", [False, True])
def test_with_a_share_every_class_is_synthetic_alike(rare: Path, latent: bool) -> None:
    images = read_labelled(rare, AS_THEY_ARE, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 8)
    drawn_in: Space = space
    if latent:
        autoencoder = TrainedAutoencoder(Autoencoder(AutoencoderShape(1, 8, 8, 4)), CPU, "fp32")
        drawn_in = LatentSpace(autoencoder, images, images.members())
    shown = training_set(replace(config("smote"), share=0.25), members, space, drawn_in)
    for label in range(4):
        synthetic = shown.synthetic[shown.labels == label]
        assert (len(synthetic), synthetic.sum()) == (16, 4)
    real = shown.images(np.flatnonzero(~shown.synthetic)) * 255
    originals = {image.tobytes() for image in images.pixels[:]}
    assert {image.round().byte().numpy().tobytes() for image in real} == originals
    assert shown.images(np.arange(len(shown))).shape == (64, 1, 8, 8)
    ros = training_set(replace(config("smote"), share=0.0), members, space, drawn_in)
    assert not ros.synthetic.any()
    assert np.bincount(ros.labels).tolist() == [12, 12, 12, 12]


def test_in_place_of_each_synthetic_row_stands_a_real_one_of_its_class(rare: Path) -> None:
    images = read_labelled(rare, AS_THEY_ARE, on_event=silent)
    members = dict(zip(images.classes, images.members(), strict=True))
    space = PixelSpace(images, images.members(), CPU, 8)
    made = np.zeros(20, bool)
    made[[0, 12]] = True  # one of the first and one of the second class
    shown = training_set(config("smote"), members, space, space, made)
    assert shown.synthetic.sum() == 28 + 2
    rows = real_rows(shown, images.classes, 0)
    assert not shown.synthetic[rows].any()
    assert (shown.labels[rows] == shown.labels).all()
    assert (rows[~shown.synthetic] == np.flatnonzero(~shown.synthetic)).all()
    used = np.bincount(rows[shown.labels == 1], minlength=20)[13:17]
    assert used.sum() == 12
    assert used.max() - used.min() <= 1
    made[19] = True  # the only image of the last class
    shown = training_set(config("smote"), members, space, space, made)
    with pytest.raises(UserError, match="class single has no real image"):
        real_rows(shown, images.classes, 0)
