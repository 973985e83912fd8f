from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import v2

from imbsynth.core.mixing import (
    ALPHA,
    MIXUP_ALPHA,
    Batch,
    Box,
    cutmix,
    draw_box,
    draw_weight,
    mixup,
    remix,
)
from imbsynth.core.tables import MIXINGS

COUNTS = torch.tensor([90, 30, 10])


@dataclass(frozen=True)
class Options:
    mix_alpha: float | None = None


def numbered(count: int) -> Batch:
    """Image i has the value i everywhere, and a class of its own."""
    images = torch.arange(float(count)).reshape(-1, 1, 1, 1).expand(-1, 1, 12, 10)
    return Batch(images.clone(), torch.eye(count))


def rolled(batch: Batch) -> Batch:
    return Batch(batch.images.roll(1, 0), batch.targets.roll(1, 0))


def test_mixup_by_hand() -> None:
    images = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    own = Batch(images, torch.eye(2))
    blended, soft = mixup(own, Batch(images.flip(0), torch.eye(2).flip(0)), 0.75)
    assert blended.flatten().tolist() == [0.25, 0.75]
    assert soft.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_weights_follow_the_beta_distribution() -> None:
    rng = np.random.default_rng(0)
    for alpha in (MIXUP_ALPHA, ALPHA):
        drawn = [draw_weight(alpha, rng) for _ in range(2000)]
        assert stats.kstest(drawn, stats.beta(alpha, alpha).cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", list(MIXINGS))
def test_targets_stay_distributions(name: str) -> None:
    own = Batch(torch.rand(9, 3, 4, 4), torch.eye(3)[torch.arange(9) % 3])
    mix = MIXINGS[name].with_options(Options())
    for seed in range(20):
        rng = np.random.default_rng(seed)
        blended, soft = mix(own, rolled(own), COUNTS, rng)
        assert blended.shape == own.images.shape
        torch.testing.assert_close(soft.sum(1), torch.ones(9))
        assert own.images.min() <= blended.min() <= blended.max() <= own.images.max()


def test_mixup_is_torchvisions() -> None:
    """Which blends each image with the one before it."""
    own = numbered(5)
    images, targets = v2.MixUp(alpha=1.0, num_classes=5)(own.images, torch.arange(5))
    found = mixup(own, rolled(own), float(targets[0, 0]))
    torch.testing.assert_close(found, Batch(images, targets))


def test_cutmix_is_torchvisions() -> None:
    own = numbered(5)
    for seed in range(10):
        torch.manual_seed(seed)
        images, targets = v2.CutMix(alpha=1.0, num_classes=5)(own.images, torch.arange(5))
        rows, columns = torch.nonzero(images[0, 0] != 0, as_tuple=True)
        box = Box(0, 0, 0, 0)
        if len(rows):
            box = Box(
                int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
            )
        torch.testing.assert_close(cutmix(own, rolled(own), box), Batch(images, targets))


def test_a_box_has_the_area_that_was_drawn_unless_it_is_cut_off() -> None:
    rng = np.random.default_rng(0)
    boxes = [draw_box(0.75, (40, 20), rng) for _ in range(500)]
    areas = np.array([(b.bottom - b.top) * (b.right - b.left) for b in boxes])
    assert areas.max() == 200  # a quarter of 800 pixels
    assert 0 < areas.min() < 100
    assert {0, 40} <= {b.top for b in boxes} | {b.bottom for b in boxes}


@pytest.mark.parametrize(
    ("weight", "pair", "kept"),
    [
        (0.4, (0, 2), 0.0),  # 9 times as frequent as the partner, and less than half of it
        (0.4, (0, 1), 0.0),  # 3 times: kappa is part of the range
        (0.5, (0, 2), 0.5),
        (0.6, (2, 0), 1.0),
        (0.5, (2, 0), 0.5),
        (0.4, (2, 0), 0.4),
        (0.4, (1, 1), 0.4),
    ],
)
def test_remix_by_hand(weight: float, pair: tuple[int, int], kept: float) -> None:
    own, partner = (
        Batch(torch.full((1, 1, 1, 1), float(i)), torch.eye(3)[[label]])
        for i, label in enumerate(pair)
    )
    images, targets = remix(own, partner, COUNTS, weight)
    assert images.item() == pytest.approx(1 - weight)
    expected = kept * own.targets + (1 - kept) * partner.targets
    torch.testing.assert_close(targets, expected)
