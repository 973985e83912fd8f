from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from imbsynth.core.flows import flow_loss, guided, root_chances, transported

NONE = 2  # the label that stands for no class


def by_label(points: Tensor, _times: Tensor, labels: Tensor) -> Tensor:
    """A velocity of 1 for class 0, 4 for class 1, and 3 without a class."""
    speeds = torch.tensor([1.0, 4.0, 3.0])[labels]
    return speeds[:, None].expand_as(points)


def test_the_loss_by_hand() -> None:
    """Noise 1 and data 5 a quarter of the way: x_t is 2, and the velocity that is wanted is 4."""
    seen = []

    def velocity(points: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        seen.append((points.tolist(), times.tolist(), labels.tolist()))
        return torch.full_like(points, 1.0)

    start, end = torch.ones(1, 1, 1, 2), torch.full((1, 1, 1, 2), 5.0)
    loss = flow_loss(velocity, start, end, torch.tensor([0.25]), torch.tensor([1]))
    assert seen == [([[[[2.0, 2.0]]]], [0.25], [1])]
    assert loss.item() == (1 - 4) ** 2


def test_towards_a_single_point_the_way_is_straight_and_ends_there() -> None:
    """If all data is the point a, v(x, t) = (a - x) / (1 - t), whose loss is 0."""
    goal = torch.tensor([3.0, -1.0])

    def velocity(points: Tensor, times: Tensor, _labels: Tensor) -> Tensor:
        return (goal - points) / (1 - times[:, None])

    starts = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(50, dtype=torch.int64)
    times = torch.linspace(0, 0.9, 50)
    assert flow_loss(velocity, starts, goal.expand(50, 2), times, labels).item() < 1e-9
    moved = transported(velocity, starts, labels, 7)
    torch.testing.assert_close(moved, goal.expand(50, 2))


def test_a_constant_velocity_moves_points_by_itself() -> None:
    def velocity(points: Tensor, _times: Tensor, labels: Tensor) -> Tensor:
        return labels[:, None] * torch.ones_like(points)

    moved = transported(velocity, torch.zeros(2, 3), torch.tensor([1, 2]), 5)
    torch.testing.assert_close(moved, torch.tensor([[1.0] * 3, [2.0] * 3]))


def test_the_midpoint_rule_is_exact_where_velocity_is_linear_in_time() -> None:
    """dx/dt = 2 t from 0 to 1: x moves by 1."""

    def velocity(points: Tensor, times: Tensor, _labels: Tensor) -> Tensor:
        return 2 * times[:, None].expand_as(points)

    moved = transported(velocity, torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64), 1)
    torch.testing.assert_close(moved, torch.ones(1, 2))


def test_guidance_by_hand() -> None:
    """3 + w (v - 3): away from what is moved without a class."""
    points, times, labels = torch.zeros(2, 3), torch.zeros(2), torch.tensor([0, 1])
    found = guided(by_label, NONE, 2.0)(points, times, labels)
    assert found[:, 0].tolist() == [3 + 2 * (1 - 3), 3 + 2 * (4 - 3)]


def test_guidance_of_1_is_none_and_of_0_forgets_the_class() -> None:
    assert guided(by_label, NONE, 1.0) is by_label
    points, times, labels = torch.zeros(2, 3), torch.zeros(2), torch.tensor([0, 1])
    assert (guided(by_label, NONE, 0.0)(points, times, labels) == 3).all()


def test_classes_are_drawn_in_proportion_to_the_root_of_their_size() -> None:
    labels = np.repeat([0, 1], [16, 4])
    chances = root_chances(labels)
    assert chances.sum() == pytest.approx(1)
    assert chances[labels == 0].sum() / chances[labels == 1].sum() == pytest.approx(4 / 2)
