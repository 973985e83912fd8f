from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imbsynth.core.near_duplicates import (
    ALIKE,
    BITS_APART,
    SIDE,
    Thumbs,
    near_pairs,
    perceptual_hash,
)


def pictures(rng: np.random.Generator, n: int) -> Thumbs:
    """Smooth random pictures, of any brightness and contrast."""
    coarse = rng.normal(size=(n, 4, 4)).repeat(4, 1).repeat(4, 2)
    fine = coarse + rng.normal(size=(n, SIDE, SIDE)) / 4
    return (128 + 30 * fine).clip(0, 255).astype(np.uint8)


def found(thumbs: Thumbs, others: Thumbs | None = None) -> set[tuple[int, int]]:
    pairs = [pairs for _, pairs in near_pairs(thumbs, others)]
    return {(int(i), int(j)) for each in pairs for i, j in zip(*each[:2], strict=True)}


def one_by_one(thumbs: Thumbs, others: Thumbs) -> NDArray[np.bool_]:
    """(n, m): whether a pair is near, by the definition."""
    bits = [perceptual_hash(images) for images in (thumbs, others)]
    near = np.zeros((len(thumbs), len(others)), bool)
    for i in range(len(thumbs)):
        for j in range(len(others)):
            if (bits[0][i] != bits[1][j]).sum() <= BITS_APART:
                both = np.stack([thumbs[i].ravel(), others[j].ravel()]).astype(float)
                near[i, j] = both.std(1).min() > 0 and np.corrcoef(both)[0, 1] >= ALIKE
    return near


def test_the_hash_has_half_of_its_64_bits_set_and_ignores_brightness_and_contrast() -> None:
    thumbs = pictures(np.random.default_rng(0), 50) // 2 + 40
    bits = perceptual_hash(thumbs)
    assert bits.shape == (50, 64)
    assert (bits.sum(1) == 32).all()
    brighter = perceptual_hash((thumbs * np.float64(1) * 1.1 + 10).round().astype(np.uint8))
    assert (bits != brighter).sum(1).max() <= 4  # what rounding to 8 bits turns over


def test_the_hash_of_one_wave_by_hand() -> None:
    wave = np.cos(np.pi * 3 * (np.arange(SIDE) + 0.5) / SIDE)
    thumb = (128 + 100 * np.outer(np.ones(SIDE), wave)).round().astype(np.uint8)
    (bits,) = perceptual_hash(thumb[None])
    assert bits[2]  # frequencies from left to right: 1, 2, 3, ...: the third is this wave
    (other,) = perceptual_hash(thumb.T[None])
    assert other[3 * 8 - 1]  # likewise from top to bottom, without the mean in front


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_pairs_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    thumbs = pictures(rng, 25)
    noise = rng.normal(size=thumbs.shape) * rng.choice([1, 8, 20], (25, 1, 1))
    others = (thumbs + noise).clip(0, 255).astype(np.uint8)
    expected = one_by_one(thumbs, others)
    assert found(thumbs, others) == set(
        zip(*map(np.ndarray.tolist, expected.nonzero()), strict=True)
    )
    both = np.concatenate([thumbs, others])
    alone = np.triu(one_by_one(both, both), 1)
    assert found(both) == set(zip(*map(np.ndarray.tolist, alone.nonzero()), strict=True))


def test_no_pair_is_lost_between_blocks() -> None:
    rng = np.random.default_rng(0)
    thumbs = pictures(rng, 1300)
    copies = [(3, 700), (0, 511), (511, 512), (600, 1299)]
    for first, second in copies:
        thumbs[second] = thumbs[first]
    expected = {*copies, (0, 512)}  # by way of 511
    assert found(thumbs) == expected
    assert found(thumbs[:600], thumbs[600:]) == {(i, j - 600) for i, j in expected if i < 600 <= j}
    assert [done for done, _ in near_pairs(thumbs)] == [512, 1024, 1300]


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_images_of_one_colour_are_near_to_none(shade: int) -> None:
    flat = np.full((3, SIDE, SIDE), shade, np.uint8)
    assert found(np.concatenate([flat, pictures(np.random.default_rng(0), 2)])) == set()
