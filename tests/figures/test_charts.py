from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.figures.robustness import RobustnessPanel, write_robustness
from imbsynth.figures.spreads import write_spreads


def draw(path: Path, problems: int, methods: int, name: str = "method") -> tuple[int, int]:
    """Write means that rise by a hundredth a method; the size of the picture."""
    mean = np.tile(np.arange(methods) / 100, (problems, 1))
    mean[-1, -1] = np.nan  # a result that is not there yet
    reach = np.full((2, problems, methods), 0.01)
    names = [f"{name} {i}" for i in range(methods)]
    write_spreads(path, mean, reach, [f"{name} {i}" for i in range(problems)], names, "ACSA")
    with Image.open(path) as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 10
        return image.size


def test_a_picture_grows_with_its_panels_and_their_rows(tmp_path: Path) -> None:
    width, height = draw(tmp_path / "a.png", 1, 4)
    assert draw(tmp_path / "b.png", 1, 16)[1] > 2 * height
    assert draw(tmp_path / "c.png", 2, 4)[0] > 1.5 * width
    assert draw(tmp_path / "d.png", 4, 4)[1] > 1.5 * height  # the fourth begins a row


@pytest.mark.parametrize(("problems", "methods"), [(1, 1), (500, 2), (2, 600)])
def test_any_number_of_problems_and_methods_is_drawn(
    tmp_path: Path, problems: int, methods: int
) -> None:
    assert max(draw(tmp_path / "a.png", problems, methods)) < 20_000


def test_any_number_of_curves_is_drawn(tmp_path: Path) -> None:
    line = np.array([0.5, 0.4]), np.array([0.1, 0.0])
    panels = [RobustnessPanel("a", "rho", True, np.array([10.0, 100.0]), {"b": line})] * 200
    write_robustness(tmp_path / "a.png", panels, "ACSA")
    with Image.open(tmp_path / "a.png") as image:
        assert image.height < 20_000


@pytest.mark.parametrize("name", ["$x_1", "caf\udce9", "a\nb", "a" * 99, "füße"])
def test_any_name_can_be_drawn(tmp_path: Path, name: str) -> None:
    draw(tmp_path / "a.png", 2, 2, name)


def test_the_same_numbers_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(tmp_path / name, 4, 3)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
