from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from imbsynth.core.losses import GAMMA
from imbsynth.core.tables import LOSSES

COUNTS = torch.tensor([100, 10, 1])
NAMES = list(LOSSES)


def batch(seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(5, 3))), torch.from_numpy(rng.integers(3, size=5))


def loss_of(name: str, logits: Tensor, targets: Tensor) -> Tensor:
    found: Tensor = LOSSES[name].load()(logits, targets, COUNTS, 0.5)
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
