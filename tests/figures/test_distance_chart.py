from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.figures.distance_chart import Chart, ClassPoints, write_chart


def panel(name: str, seed: int) -> ClassPoints:
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(2, 20, 2)).astype(np.float32)
    return ClassPoints(name, real, fake)


@pytest.mark.parametrize("classes", [0, 1, 7, 70])
def test_any_number_of_classes_is_drawn(tmp_path: Path, classes: int) -> None:
    bars = {f"class {i}": float(i) for i in range(classes)}
    panels = [panel(name, i) for i, name in enumerate(bars)]
    write_chart(tmp_path / "a.png", Chart("FID (inception)", 3.0, bars, panels))
    with Image.open(tmp_path / "a.png") as image:
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 10


@pytest.mark.parametrize("name", ["$x_1", "caf\udce9", "a\nb", "a" * 99, "füße"])
def test_any_class_name_can_be_drawn(tmp_path: Path, name: str) -> None:
    write_chart(tmp_path / "a.png", Chart("FID", 1.0, {name: 1.0}, [panel(name, 0)]))
    assert (tmp_path / "a.png").exists()


def test_the_same_chart_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_chart(tmp_path / name, Chart("FID", 1.0, {"a": 2.0}, [panel("a", 0)]))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_only_some_runs_need_is_loaded_by_them() -> None:
    heavy = {"matplotlib", "sklearn", "torchvision"}
    code = f"import sys, imbsynth.engine.fid; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
