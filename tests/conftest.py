"""Small image folders, made afresh for each test."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

torch.set_num_threads(1)  # the networks of the tests are too small to share
# What an example takes says nothing where a machine has other work beside the tests.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

MakeFolder = Callable[..., Path]


@pytest.fixture(autouse=True, scope="session")
def no_stop_signal_is_ignored() -> None:
    """As under nohup or in a background job, where a run that a test stops would never end."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """Every test draws from torch's global generator what it draws when it runs alone."""
    torch.manual_seed(0)


def draw_image(seed: int, height: int, width: int, mode: str) -> Image.Image:
    """A bright bar on a dark ground, different for each seed."""
    rng = np.random.default_rng(seed)
    shape = (height, width) if mode == "L" else (height, width, 3)
    pixels = rng.integers(0, 60, shape)
    row, column = rng.integers(height), rng.integers(width)
    pixels[row] += 150
    pixels[:, column] += 100
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Makes an ImageFolder of {class: images}; another `first` draws other images."""

    def make(
        counts: Mapping[str, int],
        *,
        name: str = "src",
        size: tuple[int, int] = (8, 8),
        mode: str = "L",
        first: int = 0,
    ) -> Path:
        root = tmp_path / name
        for label, (class_name, count) in enumerate(counts.items()):
            (root / class_name).mkdir(parents=True)
            for i in range(count):
                image = draw_image(1000 * label + first + i, *size, mode)
                image.save(root / class_name / f"{i:03d}.png")
        return root

    return make


@pytest.fixture
def rare(make_folder: MakeFolder) -> Path:
    """A folder with classes of 12, 5, 2 and 1 images."""
    return make_folder({"common": 12, "few": 5, "pair": 2, "single": 1})


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its relative path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
