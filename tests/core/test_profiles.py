from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.core import profiles

MNIST = dict(
    zip("0123456789", (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949), strict=True)
)
sizes = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 10_000), min_size=1)
ratios = st.floats(1, 1000)


def test_rho_and_mu_by_hand() -> None:
    counts = {"a": 100, "b": 100, "c": 20, "d": 5}
    assert (profiles.rho(counts), profiles.mu(counts)) == (20, 0.5)


def test_the_exponential_profile_is_the_long_tailed_cifar_of_the_literature() -> None:
    counts = {name: 5000 for name in "0123456789"}
    # CIFAR-10-LT at ratio 100, as published by Cui et al. (2019) and all who followed.
    assert list(profiles.exponential(counts, 100).values()) == [
        5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50,
    ]  # fmt: skip


def test_the_exponential_profile_starts_from_the_largest_class() -> None:
    counts = profiles.exponential(MNIST, 100)
    assert counts["1"] == 6742
    assert counts["5"] == 67
    assert list(counts) == list(MNIST)


def test_the_linear_profile_falls_in_equal_steps() -> None:
    counts = {name: 100 for name in "abcde"}
    assert list(profiles.linear(counts, 5).values()) == [100, 80, 60, 40, 20]


def test_the_step_profile_cuts_the_smaller_half_and_leaves_the_rest() -> None:
    counts = {"a": 90, "b": 100, "c": 95, "d": 80, "e": 70}
    assert profiles.step(counts, 10) == {"a": 90, "b": 100, "c": 95, "d": 10, "e": 10}


def test_the_aos_procedure_on_mnist() -> None:
    counts = profiles.equalised(MNIST, 50, 0.8, np.random.default_rng(0))
    assert sorted(counts.values()) == [5421 // 50] * 8 + [5421] * 2


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.29, 0.4, 0.58, 0.6, 0.8])
def test_the_aos_procedure_cuts_floor_mu_c_classes(fraction: float) -> None:
    counts = {f"{i:02d}": 100 for i in range(100)}
    cut = profiles.equalised(counts, 4, fraction, np.random.default_rng(1))
    assert sum(n == 25 for n in cut.values()) == round(100 * fraction)


@given(counts=sizes, ratio=ratios)
def test_profiles_keep_the_largest_class_and_cut_the_smallest(
    counts: dict[str, int], ratio: float
) -> None:
    for profile in (profiles.exponential, profiles.linear):
        made = profile(counts, ratio)
        assert max(made.values()) == max(counts.values())
        if len(counts) > 1:
            assert min(made.values()) == math.floor(max(counts.values()) / ratio + 1e-9)


@given(
    count=st.integers(3, 10_000),
    weights=st.lists(st.integers(1, 50), min_size=2, max_size=3),
)
def test_shares_add_up_and_leave_no_part_empty(count: int, weights: list[int]) -> None:
    fractions = [w / sum(weights) for w in weights]
    made = profiles.shares(count, fractions)
    assert sum(made) == count
    assert min(made) >= 1
    if min(count * f for f in fractions) >= 1:
        assert all(abs(n - count * f) < 1 for n, f in zip(made, fractions, strict=True))


def test_fewer_images_than_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="2 images for 3 parts"):
        profiles.shares(2, [0.8, 0.1, 0.1])
