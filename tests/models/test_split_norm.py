from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.split_norm import SplitNorm, others_apart, split_norms

MAPS = torch.randn(7, 3, 4, 5, generator=torch.Generator().manual_seed(1))
OTHERS = torch.tensor([True, False, True, False, False, True, False])


def split_by(others: torch.Tensor) -> SplitNorm:
    """A layer that is told which images of a batch are others, and that no process has more."""
    split = SplitNorm(3)
    split.others, split.number, split.count = others, int(others.sum()), len(others)
    return split


def test_each_group_is_normalised_by_itself_and_only_real_images_are_remembered() -> None:
    split, plain = split_by(OTHERS), nn.BatchNorm2d(3)
    made = split(MAPS + OTHERS[:, None, None, None])
    torch.testing.assert_close(made[~OTHERS], plain(MAPS[~OTHERS]))
    torch.testing.assert_close(split.running_mean, plain.running_mean)
    torch.testing.assert_close(split.running_var, plain.running_var)
    alone = nn.BatchNorm2d(3)
    torch.testing.assert_close(made[OTHERS], alone(MAPS[OTHERS] + 1))


@pytest.mark.parametrize("number", [0, 1, 6])
def test_a_group_of_one_image_joins_the_other(number: int) -> None:
    split, plain = split_by(torch.arange(7) < number), nn.BatchNorm2d(3)
    torch.testing.assert_close(split(MAPS), plain(MAPS))
    torch.testing.assert_close(split.running_var, plain.running_var)


def test_a_batch_without_real_images_leaves_the_statistics_as_they_are() -> None:
    split = split_by(torch.ones(7, dtype=torch.bool))
    torch.testing.assert_close(split(MAPS), nn.BatchNorm2d(3)(MAPS))
    assert split.running_mean is not None
    assert (split.running_mean == 0).all()


def test_in_evaluation_nothing_is_split() -> None:
    split, plain = split_by(OTHERS).eval(), nn.BatchNorm2d(3).eval()
    torch.testing.assert_close(split(MAPS), plain(MAPS))


def test_a_split_network_has_the_weights_of_the_plain_one() -> None:
    model = Classifier("cnn", ImageShape(1, 8, 8), 3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert split_norms(model) == 4
    after = model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    images = torch.rand(4, 1, 8, 8)
    with others_apart(model, torch.tensor([True, True, False, False])):
        halves = model(images)
    assert not torch.allclose(halves, model(images))
    assert split_norms(nn.Sequential(nn.Linear(2, 2))) == 0
