from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imbsynth.core.ccr import Ccr, in_ball, pushes, radii_of
from imbsynth.core.enemies import city_block
from imbsynth.core.samplers import Noted
from tests.core.test_samplers import Cloud, cloud, offsets_of

OWN = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 5.0]])
ENEMIES = torch.tensor([[1.0, 0.0], [3.0, 3.0], [-2.0, 1.0], [5.0, 1.0], [0.5, 5.0]])


def ccr(
    classes: list[torch.Tensor],
    energy: float = 1,
    energy_unit: str = "median",
    clean: str = "move",
) -> Ccr:
    rngs = [np.random.default_rng(k) for k in range(len(classes))]
    return Ccr(Cloud(classes), rngs, energy=energy, energy_unit=energy_unit, clean=clean)


def test_spheres_and_pushes_by_hand() -> None:
    """Energy 3. From (0, 0) the nearest enemies are at 1 and 3: 1 is spent up to the first, the
    other 2 grow the sphere by 1, at a cost of 2: r = 2, and (1, 0) is pushed to (2, 0). Likewise
    r = 2 + 1/2 around (4, 0), whose enemy (5, 1) goes to (5.25, 1.25), and 0.5 + 2.5/2 around
    (0, 5). CCR of smote-variants 1.0.1 gives the same radii and places for these points.
    """
    distances = city_block(OWN, ENEMIES)
    assert distances[0].tolist() == [1, 6, 3, 6, 5.5]
    radii = radii_of(distances, 3)
    assert radii.tolist() == [2, 2.5, 1.75]
    moved = ENEMIES.numpy() + pushes(OWN, ENEMIES, distances, radii)
    assert moved == pytest.approx(np.array([[2, 0], [3, 3], [-2, 1], [5.25, 1.25], [1.75, 5]]))


@pytest.mark.parametrize(
    ("energy", "radii"), [(0.5, [0.5, 0.5, 0.5]), (2, [1.5, 2, 1.25])]
)  # by smote-variants 1.0.1
def test_radii_of_other_energies(energy: float, radii: list[float]) -> None:
    assert radii_of(city_block(OWN, ENEMIES), energy).tolist() == radii


def test_a_sphere_with_several_enemies_by_hand() -> None:
    """Enemies at 1, 2 and 4: 1 * 1 + 1 * 2 + 1 * 3 = 6 buys a radius of 3."""
    assert radii_of(np.array([[4, 1, 2]], np.float32), 6).tolist() == [3]
    assert radii_of(np.array([[1, 1]], np.float32), 7).tolist() == [3]  # beyond the last: 1 + 2 * 3


def test_an_enemy_in_two_spheres_is_pushed_by_both() -> None:
    """From (0, 0) with radius 2 by (1, 0), from (1, 3) with radius 4 by 1/3 (0, -3)."""
    own, enemy = torch.tensor([[0.0, 0], [1, 3]]), torch.tensor([[1.0, 0]])
    found = pushes(own, enemy, city_block(own, enemy), np.array([2.0, 4.0]))
    assert found == pytest.approx(np.array([[1, -1]]))


def test_an_enemy_in_the_centre_stays() -> None:
    found = pushes(OWN, OWN[:1].clone(), city_block(OWN, OWN[:1]), np.array([1.0, 1, 1]))
    assert found.tolist() == [[0, 0]]


@given(
    n=st.integers(1, 6), m=st.integers(1, 9), energy=st.floats(0.01, 30), seed=st.integers(0, 99)
)
@settings(deadline=None)
def test_a_radius_costs_the_energy(n: int, m: int, energy: float, seed: int) -> None:
    distances = np.random.default_rng(seed).random((n, m)).astype(np.float32)
    radii = radii_of(distances, energy)
    for own, radius in zip(distances.astype(float), radii, strict=True):
        # The cost of growth is 1 + enemies inside: r itself, and r - d for each enemy inside.
        assert radius + np.clip(radius - own, 0, None).sum() == pytest.approx(energy)


@given(n=st.integers(1, 6), m=st.integers(1, 9), seed=st.integers(0, 99))
@settings(deadline=None)
def test_an_enemy_in_one_sphere_is_pushed_to_its_surface(n: int, m: int, seed: int) -> None:
    own, enemies = cloud(n, 3, seed), cloud(m, 3, seed + 100)
    distances = city_block(own, enemies)
    radii = radii_of(distances, 2.0)
    moved = enemies + torch.from_numpy(pushes(own, enemies, distances, radii))
    inside = distances < radii[:, None]
    for j in range(m):
        (holding,) = np.nonzero(inside[:, j])
        if len(holding) == 1:
            away = float((moved[j] - own[holding[0]]).abs().sum())
            assert away == pytest.approx(radii[holding[0]], rel=1e-5)  # float32 shifts
        elif not len(holding):
            assert torch.equal(moved[j], enemies[j])


def test_a_ball_is_filled_uniformly() -> None:
    d, radius = 4, 3.0
    uniforms = np.random.default_rng(0).random((4000, d + 1))
    points = in_ball(uniforms, np.full(4000, radius))
    reach = np.abs(points).sum(1) / radius
    assert reach.max() < 1
    # Of a uniform ball the share within s of the radius is s^d. Kolmogorov-Smirnov, 1e-6.
    assert np.abs(np.sort(reach**d) - np.arange(1, 4001) / 4000).max() < 2.7 / np.sqrt(4000)
    signs = (points > 0).mean(0)
    assert np.abs(signs - 0.5).max() < 5 * 0.5 / np.sqrt(4000)
    assert np.isfinite(in_ball(np.zeros((1, 3)), np.ones(1))).all()  # the numbers at the end


def test_synthetic_points_lie_in_the_spheres_and_small_ones_get_more() -> None:
    own = torch.tensor([[0.0, 0.0], [20.0, 0.0]])
    enemies = torch.tensor([[1.0, 0.0], [-1, 0], [24, 0], [20, -4], [30, 30]])
    found = ccr([enemies, own], energy=1, energy_unit="absolute", clean="ignore")
    plan = found.draw(1)(np.arange(4000))
    assert np.abs(offsets_of(plan)).sum(1).max() <= 1
    found = ccr([enemies, own], energy=2, energy_unit="absolute", clean="ignore")
    plan = found.draw(1)(np.arange(4000))
    first = plan.parents[:, 0] == 5
    # Radii are 4/3 (enemies at 1, 1) and 2: the seeds share 3 : 2. 5 deviations of 31 are allowed.
    assert abs(first.sum() - 2400) < 155
    reach = np.abs(offsets_of(plan)).sum(1)
    assert reach[first].max() <= 4 / 3 + 1e-6
    assert 1.9 < reach[~first].max() <= 2 + 1e-6


def test_energy_is_in_units_of_the_median_distance_to_the_nearest_enemy() -> None:
    scaled = [[k * part for part in (cloud(9, 3), cloud(5, 3, seed=1))] for k in (1, 1000)]
    plans = [ccr(classes).draw(1)(np.arange(50)) for classes in scaled]
    assert np.array_equal(plans[0].parents, plans[1].parents)
    assert offsets_of(plans[1]) == pytest.approx(offsets_of(plans[0]) * 1000, rel=1e-4)


def test_what_was_moved_is_told_and_only_images_of_larger_classes_are() -> None:
    classes = [cloud(12, 2), cloud(7, 2, seed=1), cloud(3, 2, seed=2)]
    found = ccr(classes, energy=3)
    found.draw(2)
    moved = found.moved()
    assert moved
    assert set(moved) <= set(range(19))
    assert all(length > 0 for length in moved.values())
    still = ccr(classes, energy=3, clean="ignore")
    still.draw(2)
    assert still.moved() == {}


def test_synthetic_points_are_pushed_by_smaller_classes() -> None:
    classes = [cloud(12, 2), cloud(4, 2, seed=1), cloud(3, 2, seed=2)]
    rows = np.arange(20)
    moving, still = (ccr(classes, energy=3, clean=way) for way in ("move", "ignore"))
    pushed, left = (offsets_of(way.draw(1)(rows)) for way in (moving, still))
    differs = (pushed != left).any(1)
    assert differs[:8].any()
    assert not differs[8:].any()  # no enemies of anyone: the class is as large as the largest


def test_the_order_in_which_classes_are_drawn_does_not_matter() -> None:
    classes = [cloud(4, 2), cloud(9, 2, seed=1), cloud(6, 2, seed=2)]
    forth, back = ccr(classes), ccr(classes)
    plans = {k: forth.draw(k)(np.arange(9)) for k in (0, 1, 2)}
    for k in (1, 2, 0):
        again = offsets_of(back.draw(k)(np.arange(9)))
        assert np.array_equal(again, offsets_of(plans[k]))


@pytest.mark.parametrize("classes", [[cloud(4, 2)], [cloud(6, 2), cloud(6, 2)[:3]]])
def test_without_room_images_are_copied_and_it_says_so(classes: list[torch.Tensor]) -> None:
    draw = ccr(classes).draw(len(classes) - 1)
    assert isinstance(draw, Noted)
    assert "copied" in draw.note
    plan = draw(np.arange(20))
    assert not offsets_of(plan).any()
    assert len(set(plan.parents.ravel().tolist())) == len(classes[-1])
