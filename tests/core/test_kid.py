from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.image.kid import poly_mmd

from imbsynth.core import kid
from imbsynth.core.kid import kernel_distance


def draw(seed: int, n: int, d: int = 16, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def test_by_hand() -> None:
    """Kernel (x y + 1)^3 in one dimension: 1 between a zero and anything, 8 between two ones."""
    real, fake = torch.zeros(3, 1), torch.ones(3, 1)
    assert kernel_distance(real, fake).value == pytest.approx(1 + 8 - 2)


def test_agrees_with_torchmetrics() -> None:
    real, fake = draw(0, 40), draw(1, 40, shift=0.2)
    assert kernel_distance(real, fake).value == pytest.approx(float(poly_mmd(real, fake)), rel=1e-9)


def test_agrees_with_torch_fidelitys_subset_of_everything() -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    real, fake = draw(0, 40), draw(1, 40, shift=0.2)
    options = {"kid_subsets": 1, "kid_subset_size": 40, "verbose": False}
    reference = kid_features_to_metric(real, fake, **options)["kernel_inception_distance_mean"]
    assert kernel_distance(real, fake).value == pytest.approx(reference, rel=1e-9)


@given(n=st.integers(3, 20), m=st.integers(3, 20), seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_symmetric_and_blind_to_order(n: int, m: int, seed: int) -> None:
    real, fake = draw(seed, n), draw(seed + 1, m, shift=0.5)
    value, error = kernel_distance(real, fake)
    swapped = kernel_distance(fake.flip(0), real.flip(0))
    assert swapped.value == pytest.approx(value)
    assert swapped.error == pytest.approx(error)


def test_the_jackknife_is_what_leaving_images_out_gives() -> None:
    real, fake = draw(0, 7), draw(1, 6, shift=0.5)

    def part(whole: Tensor, i: int) -> Tensor:
        return torch.cat([whole[:i], whole[i + 1 :]])

    without = [
        [kernel_distance(part(real, i), fake).value for i in range(7)],
        [kernel_distance(real, part(fake, i)).value for i in range(6)],
    ]
    variance = sum(np.var(values) * (len(values) - 1) for values in without)
    assert kernel_distance(real, fake).error == pytest.approx(variance**0.5)


def test_unbiased_and_its_error_is_the_spread_of_repeated_draws() -> None:
    """The mean of 200 draws is within 4 of its own errors of a draw of 4,000; 30 % on the error."""
    found = [
        kernel_distance(draw(2 * i, 60), draw(2 * i + 1, 60, shift=0.3)) for i in range(1, 201)
    ]
    values = np.array([one.value for one in found])
    truth = kernel_distance(draw(0, 4000), draw(1, 4000, shift=0.3))
    assert abs(values.mean() - truth.value) < 4 * (values.std() / 200**0.5 + truth.error)
    assert np.mean([one.error for one in found]) == pytest.approx(values.std(), rel=0.3)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = draw(0, 50), draw(1, 30)
    whole = kernel_distance(real, fake)
    monkeypatch.setattr(kid, "ROWS", 7)
    assert kernel_distance(real, fake) == pytest.approx(whole)


def test_two_features_are_too_few() -> None:
    with pytest.raises(ValueError, match="needs 3"):
        kernel_distance(draw(0, 2), draw(1, 9))
