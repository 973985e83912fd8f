from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imbsynth.configs import CompareConfig
from imbsynth.engine import compare
from imbsynth.engine.comparison.robustness import MU, RHO, panels
from imbsynth.engine.comparison.stored import EVALUATED, Result
from imbsynth.figures.robustness import write_robustness
from tests.engine.comparison.files import write_results


def result(source: str, method: str, seed: int, rho: float, mu: float, acsa: float) -> Result:
    scores = dict.fromkeys(EVALUATED, 0.5) | {"acsa": acsa}
    problem = f"{source}, {rho:g} {mu:g}"
    return Result(problem, method, seed, scores, {}, source=source, rho=rho, mu=mu)


def grid(rhos: list[float], mus: list[float], source: str = "digits") -> list[Result]:
    """Two methods and seeds; ACSA falls by a hundredth a unit of log2 rho."""
    return [
        result(source, method, seed, rho, mu, 0.9 - np.log2(rho) / 100 + seed / 50)
        for method in ("plain", "ROS")
        for rho in rhos
        for mu in mus
        for seed in (0, 1)
    ]


@given(st.lists(st.integers(1, 9), unique=True, min_size=2, max_size=6), st.randoms())
def test_a_curve_rises_in_x_and_keeps_every_score(powers: list[int], random: object) -> None:
    results = grid([float(2**power) for power in powers], [0.5])
    random.shuffle(results)  # type: ignore[attr-defined]
    (panel,) = panels(results, "acsa")
    assert panel.axis == RHO
    assert panel.x.tolist() == sorted(2.0**power for power in powers)
    assert panel.lines.keys() == {"plain", "ROS"}
    for mean, spread in panel.lines.values():
        assert mean == pytest.approx(0.91 - np.log2(panel.x) / 100)
        assert spread == pytest.approx(np.full(len(powers), 0.02 / 2**0.5))


def test_mu_is_the_axis_where_it_alone_varies() -> None:
    (panel,) = panels(grid([60], [0.8, 0.2, 0.4]), "acsa")
    assert (panel.axis, panel.log, panel.x.tolist()) == (MU, False, [0.2, 0.4, 0.8])


def test_a_grid_of_both_has_a_panel_per_mu() -> None:
    found = panels(grid([10, 100], [0.2, 0.8]), "acsa")
    assert [panel.title for panel in found] == ["digits, mu 0.2", "digits, mu 0.8"]
    assert all(panel.x.tolist() == [10, 100] for panel in found)


def test_each_data_set_has_its_own_panel() -> None:
    results = grid([10, 100], [0.5], "a") + grid([10], [0.5], "b") + grid([2, 4, 8], [0.5], "c")
    assert [(p.title, len(p.x)) for p in panels(results, "acsa")] == [("a", 2), ("c", 3)]


@pytest.mark.parametrize("rhos", [[100.0], [100.0, 100.4]])
def test_one_ratio_is_no_curve(rhos: list[float]) -> None:
    assert panels(grid(rhos, [0.5]), "acsa") == []


def test_results_that_know_no_ratio_are_no_curve() -> None:
    lost = [found._replace(rho=None, mu=None) for found in grid([10, 100], [0.5])]
    assert panels(lost, "acsa") == []


def test_what_is_not_done_yet_is_left_out_of_its_line(tmp_path: Path) -> None:
    results = [r for r in grid([10, 20, 100], [0.5]) if (r.method, r.rho) != ("ROS", 20)]
    (panel,) = panels(results, "acsa")
    assert np.isnan(panel.lines["ROS"][0]).tolist() == [False, True, False]
    write_robustness(tmp_path / "robustness.png", [panel] * 4, "ACSA")  # two rows
    with Image.open(tmp_path / "robustness.png") as picture:
        assert picture.width > picture.height


def test_compare_draws_curves_where_there_are_some(tmp_path: Path) -> None:
    write_results(tmp_path / "out", {"plain": [[0.5, 0.6]], "ROS": [[0.5, 0.7]]})
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "one"))
    assert report.pictures == ["spreads.png"]
    assert not (tmp_path / "one/robustness.png").exists()

    write_results(tmp_path / "out", {"plain": [[0.5, 0.6]], "ROS": [[0.5, 0.7]]}, {"x": 9, "y": 90})
    report = compare.run(CompareConfig(src=tmp_path / "out", out=tmp_path / "two"))
    assert report.pictures == ["spreads.png", "robustness.png"]
    assert all((tmp_path / "two" / name).is_file() for name in report.pictures)
