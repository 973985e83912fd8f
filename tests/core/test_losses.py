from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from imbsynth.core.losses import GAMMA, SCALE, class_weights, ldam, log_sum_of_others, margins
from imbsynth.core.tables import LOSSES
from imbsynth.models import heads

COUNTS = torch.tensor([100, 10, 1])
NAMES = list(LOSSES)


def batch(seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(5, 3))), torch.from_numpy(rng.integers(3, size=5))


class Options(NamedTuple):
    beta: float = 0.9
    defer: float | None = None


def loss_of(
    name: str,
    logits: Tensor,
    targets: Tensor,
    defer: float | None = None,
    progress: float = 0.5,
) -> Tensor:
    loss = LOSSES[name].with_options(Options(defer=defer))
    found: Tensor = loss(logits, targets, COUNTS, progress)
    return found


def one_hot(labels: Tensor) -> Tensor:
    return functional.one_hot(labels, 3).double()


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_cross_entropy_of_hard_targets_is_torchs(seed: int) -> None:
    logits, labels = batch(seed)
    expected = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(loss_of("cross-entropy", logits, one_hot(labels)), expected)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_balanced_softmax_is_its_formula(seed: int) -> None:
    """Ren et al. (2020), equation 4: n_y exp(z_y) / sum_k n_k exp(z_k)."""
    logits, labels = batch(seed)
    weighted = COUNTS * logits.exp()
    p = weighted / weighted.sum(1, keepdim=True)
    expected = -p[torch.arange(5), labels].log()
    torch.testing.assert_close(loss_of("balanced-softmax", logits, one_hot(labels)), expected)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_focal_is_its_formula(seed: int) -> None:
    """Lin et al. (2017): -(1 - p_y)^gamma log p_y."""
    logits, labels = batch(seed)
    p = logits.softmax(1)[torch.arange(5), labels]
    expected = -((1 - p) ** GAMMA) * p.log()
    torch.testing.assert_close(loss_of("focal", logits, one_hot(labels)), expected)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_focal_is_torchvisions_between_two_classes(seed: int) -> None:
    """softmax of (0, z) is sigmoid of z; torchvision's alpha is turned off."""
    rng = np.random.default_rng(seed)
    logits, labels = torch.from_numpy(rng.normal(size=5)), torch.from_numpy(rng.integers(2, size=5))
    expected = sigmoid_focal_loss(logits, labels.double(), alpha=-1, gamma=GAMMA)
    pair = torch.stack([torch.zeros_like(logits), logits], 1)
    found = LOSSES["focal"].load()(pair, functional.one_hot(labels, 2).double(), COUNTS[:2], 0.5)
    torch.testing.assert_close(found, expected)


def test_class_weights_by_hand() -> None:
    """Cui et al. (2019), equation 4, for beta 0.5: effective numbers 1, 1.5 and 1.75."""
    found = class_weights(torch.tensor([1, 2, 3]), 0.5)
    shares = torch.tensor([1, 1 / 1.5, 1 / 1.75], dtype=torch.float64)
    torch.testing.assert_close(found / found[0], shares)
    assert float(found @ torch.tensor([1.0, 2, 3], dtype=torch.float64)) == pytest.approx(6)


def test_class_weights_go_from_equal_to_inverse() -> None:
    torch.testing.assert_close(class_weights(COUNTS, 1e-9), torch.ones(3).double())
    inverse = class_weights(COUNTS, 1 - 1e-9)
    torch.testing.assert_close(inverse * COUNTS, (inverse * COUNTS)[:1].expand(3))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_class_balanced_is_torchs_weighted_cross_entropy(seed: int) -> None:
    logits, labels = batch(seed)
    weights = class_weights(COUNTS, 0.9)
    expected = functional.cross_entropy(logits, labels, weights, reduction="none")
    torch.testing.assert_close(loss_of("class-balanced", logits, one_hot(labels)), expected)


def test_margins_by_hand() -> None:
    """Cao et al. (2019): C / n^(1/4), the largest 0.5."""
    found = margins(torch.tensor([16, 1, 81]))
    torch.testing.assert_close(found, torch.tensor([0.25, 0.5, 0.5 / 3], dtype=torch.float64))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_ldam_is_the_authors_loss(seed: int) -> None:
    """Cross-entropy of s cos, from whose true class s D is subtracted."""
    logits, labels = batch(seed)
    cosines = logits.tanh()
    moved = cosines - one_hot(labels) * margins(COUNTS)
    expected = functional.cross_entropy(SCALE * moved, labels, reduction="none")
    torch.testing.assert_close(loss_of("ldam", SCALE * cosines, one_hot(labels)), expected)
    assert SCALE == heads.SCALE


def test_ldam_keeps_its_digits_and_its_gradient_where_one_class_leads() -> None:
    logits = torch.tensor([[30.0, -30, -30], [-30, 30, -30]], requires_grad=True)
    loss = ldam(logits, torch.eye(3)[[0, 0]], COUNTS, 0.5, beta=0.9)
    expected = ldam(logits.double(), torch.eye(3)[[0, 0]].double(), COUNTS, 0.5, beta=0.9)
    torch.testing.assert_close(loss.double(), expected, atol=0, rtol=1e-5)
    loss.sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert 0 < loss[0] < 1e-20


def test_the_sum_of_the_others_by_hand() -> None:
    found = log_sum_of_others(torch.tensor([[1.0, 2.0, 4.0]]).log())
    torch.testing.assert_close(found, torch.tensor([[6.0, 5.0, 3.0]]).log())


def test_weights_and_priors_can_come_late() -> None:
    logits, labels = batch(2)
    targets = one_hot(labels)
    plain = loss_of("cross-entropy", logits, targets)
    torch.testing.assert_close(loss_of("class-balanced", logits, targets, 0.2, 0.79), plain)
    late = loss_of("class-balanced", logits, targets, 0.2, 0.8)
    torch.testing.assert_close(late, loss_of("class-balanced", logits, targets))

    before = loss_of("ldam", logits, targets, 0.2, 0.79)
    torch.testing.assert_close(before, loss_of("ldam", logits, targets))
    weighted = before * class_weights(COUNTS, 0.9)[labels]
    torch.testing.assert_close(loss_of("ldam", logits, targets, 0.2, 0.8), weighted)

    ramp = [loss_of("balanced-softmax", logits, targets, 0.2, t) for t in (0.7, 0.9, 1.0)]
    half = functional.cross_entropy(logits + COUNTS.log() / 2, labels, reduction="none")
    whole = loss_of("balanced-softmax", logits, targets)
    for found, expected in zip(ramp, (plain, half, whole), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_soft_targets_weigh_the_losses_of_the_classes(name: str) -> None:
    logits, _ = batch(0)
    targets = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).expand(5, 3)
    per_class = torch.stack([loss_of(name, logits, one_hot(torch.full((5,), k))) for k in range(3)])
    expected = (targets.T * per_class).sum(0)
    torch.testing.assert_close(loss_of(name, logits, targets), expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_is_one_number_per_image_and_of_it_alone(name: str) -> None:
    logits, labels = batch(1)
    whole = loss_of(name, logits, one_hot(labels))
    assert whole.shape == (5,)
    assert (whole >= 0).all()
    torch.testing.assert_close(loss_of(name, logits[3:4], one_hot(labels)[3:4])[0], whole[3])
