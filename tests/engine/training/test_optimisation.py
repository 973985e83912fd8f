from __future__ import annotations

import pytest
import torch
from torch import nn

from imbsynth.core.schedules import cosine
from imbsynth.core.tables import OPTIMISERS
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.states import Place

PLACE = Place(0, 3, 2, 5)


def network() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 1))
    return layers.to(memory_format=torch.channels_last)


def steps(model: nn.Module, optimisation: Optimisation, count: int) -> None:
    images = torch.linspace(0, 1, 64).reshape(2, 2, 4, 4)
    for step in range(count):
        optimisation.step(model(images).square().sum(), step / 10)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_any_optimiser_is_saved_and_restored_exactly(name: str) -> None:
    build = OPTIMISERS[name].load()
    whole, half = network(), network()
    first = Optimisation(whole.parameters(), lambda w: build(w, lr=0.01), 0.01)
    steps(whole, first, 3)
    saved = {key: value.clone().contiguous() for key, value in first.state_dict().items()}
    half.load_state_dict(whole.state_dict())
    second = Optimisation(half.parameters(), lambda w: build(w, lr=0.01), 0.01)
    expected = second.template(PLACE)
    assert {key: (value.shape, value.dtype) for key, value in saved.items()} == {
        key: (value.shape, value.dtype) for key, value in expected.items()
    }
    second.load_state_dict(saved, PLACE)
    for key, value in second.state_dict().items():
        assert value.stride() == first.state_dict()[key].stride()
    steps(whole, first, 3)
    steps(half, second, 3)
    for one, other in zip(whole.parameters(), half.parameters(), strict=True):
        assert torch.equal(one, other)


def test_before_the_first_step_there_is_no_state() -> None:
    build = OPTIMISERS["adam"].load()
    optimisation = Optimisation(network().parameters(), lambda w: build(w, lr=0.01), 0.01)
    assert optimisation.state_dict() == optimisation.template(Place(0, 0, 2, 5)) == {}


def test_the_learning_rate_follows_the_schedule() -> None:
    weight = nn.Parameter(torch.zeros(1))
    build = OPTIMISERS["sgd"].load()
    optimisation = Optimisation([weight], lambda w: build(w, lr=0.2), 0.2, cosine)
    optimisation.step(weight.sum(), 0.5)
    assert optimisation.optimiser.param_groups[0]["lr"] == pytest.approx(0.1)


def test_weights_may_learn_faster_than_the_run() -> None:
    slow, fast = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    build = OPTIMISERS["sgd"].load()
    optimisation = Optimisation(
        iter([fast, slow]),
        lambda w: build(w, lr=0.1, momentum=0.0),
        0.1,
        speed=lambda weight: 10.0 if weight is fast else 1.0,
    )
    optimisation.step((slow + fast).sum(), 0.0)
    torch.testing.assert_close(torch.stack([slow, fast]).flatten(), torch.tensor([-0.1, -1.0]))


def test_sam_descends_by_the_gradient_where_it_looked() -> None:
    """L = w^2 at 1: the gradient is 2, so it is taken at 1 + rho, where it is 2 (1 + rho)."""
    weight = nn.Parameter(torch.tensor([1.0]))
    build = OPTIMISERS["sgd"].load()
    optimisation = Optimisation([weight], lambda w: build(w, lr=0.1, momentum=0.0), 0.1, rho=0.5)
    optimisation.step(weight.square().sum(), 0.0, lambda: weight.square().sum())
    torch.testing.assert_close(weight.detach(), torch.tensor([1 - 0.1 * 2 * 1.5]))


def test_an_optimiser_of_two_groups_is_loaded_weight_by_weight() -> None:
    """Weights that decay come first, whatever their order in the network."""
    build = OPTIMISERS["adam"].load()
    dense = nn.Linear(2, 3)
    optimisation = Optimisation(
        reversed(list(dense.parameters())), lambda w: build(w, lr=0.1, weight_decay=0.1), 0.1
    )
    optimisation.step(dense(torch.ones(1, 2)).square().sum(), 0.0)
    shapes = {name: tuple(value.shape) for name, value in optimisation.state_dict().items()}
    assert shapes["0.exp_avg"] == (3, 2)
    assert shapes["1.exp_avg"] == (3,)
    assert shapes == {n: tuple(v.shape) for n, v in optimisation.template(PLACE).items()}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_weight_without_a_gradient_yet_is_saved_and_starts_as_a_new_one(name: str) -> None:
    """It does not move, and 20 steps without it make its first step no larger."""
    build = OPTIMISERS[name].load()

    def begun() -> tuple[list[nn.Parameter], Optimisation]:
        weights = [nn.Parameter(torch.ones(3)) for _ in range(2)]
        return weights, Optimisation(weights, lambda w: build(w, lr=0.01), 0.01)

    (early, late), optimisation = begun()
    for _ in range(20):
        optimisation.step(early.sum(), 0.0)
    assert late.tolist() == [1, 1, 1]
    saved = {key: value.clone() for key, value in optimisation.state_dict().items()}
    template = optimisation.template(PLACE)
    assert {n: v.shape for n, v in saved.items()} == {n: v.shape for n, v in template.items()}

    (_, restored), resumed = begun()
    resumed.load_state_dict(saved, PLACE)
    (_, new), fresh = begun()
    ends = {"whole": (late, optimisation), "resumed": (restored, resumed), "new": (new, fresh)}
    for weight, own in ends.values():
        own.step(weight.sum(), 0.0)
    assert torch.equal(late, restored)
    assert torch.equal(late, new)
