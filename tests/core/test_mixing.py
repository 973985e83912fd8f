from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from imbsynth.core.mixing import ALPHA, Mixup, draw_mixup, mixup, random_mixup


def test_mixup_by_hand() -> None:
    images = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    targets = torch.eye(2)
    blended, soft = mixup(images, targets, Mixup(0.75, np.array([1, 0])))
    assert blended.flatten().tolist() == [0.25, 0.75]
    assert soft.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_weights_follow_the_beta_distribution() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_mixup(4, rng) for _ in range(2000)]
    assert stats.kstest([one.weight for one in drawn], stats.beta(ALPHA, ALPHA).cdf).pvalue > 1e-6
    assert all(sorted(one.partner.tolist()) == [0, 1, 2, 3] for one in drawn)


def test_targets_stay_distributions() -> None:
    images, targets = torch.rand(9, 3, 4, 4), torch.eye(3)[torch.arange(9) % 3]
    blended, soft = random_mixup(images, targets, np.random.default_rng(0))
    assert blended.shape == images.shape
    torch.testing.assert_close(soft.sum(1), torch.ones(9))
    assert images.min() <= blended.min() <= blended.max() <= images.max()
