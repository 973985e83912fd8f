from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, autoaugment
from torchvision.transforms import functional as reference

from imbsynth.core.trivial_augment import (
    BINS,
    OPERATIONS,
    Trivial,
    cut_out,
    draw_trivial,
    random_trivial,
    trivial,
)

# The magnitudes of torchvision's own list, in its units, for the bin `BIN` of 31.
SPACE = autoaugment.TrivialAugmentWide()._augmentation_space(BINS)
BIN = 7
BILINEAR = InterpolationMode.BILINEAR


def pictures(channels: int = 3) -> Tensor:
    """Three images of whole gray levels, so that what rounds to levels can be compared."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(40, 220, (3, channels, 20, 16)) / 255).float()


def of_torchvision(name: str) -> float:
    magnitudes, _ = SPACE[name]
    return float(magnitudes[BIN]) if magnitudes.ndim else float(magnitudes)


def sheared(images: Tensor, x: float, y: float) -> Tensor:
    degrees = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return reference.affine(images, 0.0, [0, 0], 1.0, degrees, BILINEAR)


def shifted(images: Tensor, x: float, y: float) -> Tensor:
    return reference.affine(images, 0.0, [int(x), int(y)], 1.0, [0.0, 0.0], BILINEAR)


def quantised(images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    return change((images * 255).round().byte()).float() / 255


EXPECTED: dict[str, tuple[str, Callable[[Tensor, float], Tensor]]] = {
    "identity": ("Identity", lambda x, m: x),
    "shear_x": ("ShearX", lambda x, m: sheared(x, m, 0)),
    "shear_y": ("ShearY", lambda x, m: sheared(x, 0, m)),
    "translate_x": ("TranslateX", lambda x, m: shifted(x, m, 0)),
    "translate_y": ("TranslateY", lambda x, m: shifted(x, 0, m)),
    "rotate": ("Rotate", lambda x, m: reference.rotate(x, m, BILINEAR)),
    "brightness": ("Brightness", lambda x, m: reference.adjust_brightness(x, 1 + m)),
    "colour": ("Color", lambda x, m: reference.adjust_saturation(x, 1 + m)),
    "contrast": ("Contrast", lambda x, m: reference.adjust_contrast(x, 1 + m)),
    "sharpness": ("Sharpness", lambda x, m: reference.adjust_sharpness(x, 1 + m)),
    "posterize": (
        "Posterize",
        lambda x, m: quantised(x, lambda levels: reference.posterize(levels, int(m))),
    ),
    "solarize": ("Solarize", lambda x, m: reference.solarize(x, m / 255)),
    "autocontrast": ("AutoContrast", lambda x, m: reference.autocontrast(x)),
    "equalize": ("Equalize", lambda x, m: quantised(x, reference.equalize)),
}


def test_there_are_the_operations_of_torchvision() -> None:
    assert {theirs for theirs, _ in EXPECTED.values()} == SPACE.keys()
    assert EXPECTED.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_operation_is_torchvisions(name: str, sign: int, channels: int) -> None:
    images = pictures(channels)
    theirs, operation = EXPECTED[name]
    signed = SPACE[theirs][1]
    expected = operation(images, of_torchvision(theirs) * (sign if signed else 1))
    found = OPERATIONS[name](images, torch.full((3,), sign * BIN / (BINS - 1)))
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=0)


def test_each_image_has_its_own_operation_and_magnitude() -> None:
    images = pictures()
    names = list(OPERATIONS)
    chosen = [names.index(name) for name in ("rotate", "solarize", "rotate")]
    drawn = Trivial(np.array(chosen), np.array([0.1, 0.5, -1.0]), np.zeros((3, 2), np.int64))
    found = trivial(images, drawn)
    for i, name in enumerate(("rotate", "solarize", "rotate")):
        magnitude = torch.tensor(drawn.magnitude[i : i + 1]).float()
        torch.testing.assert_close(found[i], OPERATIONS[name](images[i : i + 1], magnitude)[0])


def test_equalize_of_one_colour_changes_nothing() -> None:
    images = torch.full((1, 1, 4, 4), 0.4)
    assert torch.equal(OPERATIONS["equalize"](images, torch.zeros(1)), images)


def test_half_the_side_is_cut_out_and_becomes_the_mean() -> None:
    images = pictures()[:2, :, :8, :8]
    found = cut_out(images, np.array([[4, 4], [0, 7]]))
    expected = images.clone()
    expected[0, :, 2:6, 2:6] = images[0].mean((1, 2))[:, None, None]
    expected[1, :, 0:2, 5:8] = images[1].mean((1, 2))[:, None, None]
    torch.testing.assert_close(found, expected)


def test_every_operation_is_drawn_and_draws_repeat() -> None:
    drawn = draw_trivial(5000, (20, 16), np.random.default_rng(0))
    assert np.bincount(drawn.operation).min() > 5000 / len(OPERATIONS) * 0.8
    assert len(np.unique(drawn.magnitude)) == 2 * BINS - 1
    assert drawn.centre.max(0).tolist() == [19, 15]
    first, second = (random_trivial(pictures(), np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert 0 <= first.min() <= first.max() <= 1
