"""The examples of CONTRIBUTING.md, as the page shows them and as the command line runs them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.contributing.core.class_weights import effective_number_weights
from tests.contributing.core.label_smoothing import SMOOTHING, label_smoothing
from tests.contributing.core.random_pairs import random_pairs
from tests.contributing.core.random_signs import random_signs

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "CONTRIBUTING.md"
SHOWN = re.compile(r"<!-- (tests/contributing/\S+) -->\n```python\n(.*?)```", re.DOTALL)


class Square:
    """Four points in the second of two classes."""

    members: ClassVar[list[NDArray[np.int64]]] = [np.arange(3), np.arange(3, 7)]

    def points(self, label: int) -> torch.Tensor:
        return torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

    def points_of(self, images: NDArray[np.int64]) -> torch.Tensor:
        return self.points(1)[images - 3]


def run(*arguments: str | Path) -> dict[str, Any]:
    """What the command line with the examples prints as JSON."""
    command = [sys.executable, "-m", "tests.contributing", *map(str, arguments), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent.parent)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_contributing_shows_these_files() -> None:
    shown = SHOWN.findall(PAGE.read_text())
    names = {name for name, _ in shown}
    for folder in ("core", "configs", "engine", "cli"):
        examples = set((HERE / folder).glob("*.py")) - {HERE / folder / "__init__.py"}
        assert {f"tests/contributing/{folder}/{path.name}" for path in examples} <= names
    for name, code in shown:
        source = (PAGE.parent / name).read_text().replace("tests.contributing.", "imbsynth.")
        # An entry is shown without the table around it.
        assert code in source or indent(code, "    ").rstrip() in source


def test_random_pairs_lie_between_images_of_the_class() -> None:
    plan = random_pairs(Square(), 1, np.random.default_rng(0))(np.arange(50))
    assert set(plan.parents.ravel().tolist()) == {3, 4, 5, 6}
    assert plan.weights.sum(1) == pytest.approx(1)
    assert (plan.weights > 0).all()


def test_a_longer_plan_of_random_pairs_begins_with_the_shorter_one() -> None:
    draw = random_pairs(Square(), 1, np.random.default_rng(0))
    assert (draw(np.arange(90)).parents[:7] == draw(np.arange(7)).parents).all()


def test_label_smoothing_by_hand() -> None:
    logits, targets = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.0, 1.0]])
    log_p = logits.log_softmax(1)[0]
    expected = -(SMOOTHING / 2) * log_p[0] - (1 - SMOOTHING / 2) * log_p[1]
    found = label_smoothing(logits, targets, torch.tensor([9, 1]), 0.5)
    torch.testing.assert_close(found, expected[None])


def test_random_signs_move_every_pixel_by_epsilon() -> None:
    images = torch.full((2, 1, 3, 3), 0.5)
    moved = random_signs(images, torch.sum, np.random.default_rng(0), epsilon=0.1)
    torch.testing.assert_close((moved - images).abs(), torch.full_like(images, 0.1))


def test_weights_of_equal_classes_are_equal_and_those_of_rare_ones_larger() -> None:
    assert effective_number_weights(np.array([5, 5]), 0.9).tolist() == [1, 1]
    few, many = effective_number_weights(np.array([10, 1000]), 0.999)
    assert few > 1 > many


def test_generate_takes_the_sampler(rare: Path, tmp_path: Path) -> None:
    report = run("generate", rare, tmp_path / "out", "--method", "random-pairs")
    assert report["added"] == {"common": 0, "few": 7, "pair": 10, "single": 11}


def test_aos_train_takes_the_loss_and_the_attack(rare: Path, tmp_path: Path) -> None:
    (rare / "single" / "another.png").write_bytes((rare / "few" / "000.png").read_bytes())
    methods = ("--loss", "label-smoothing", "--attack", "random-signs")
    report = run(
        "aos-train", rare, "--out", tmp_path / "clf.safetensors", "--epochs", "1", *methods
    )
    assert report["epochs"] == 1


def test_the_command_line_has_the_command(rare: Path) -> None:
    weights = run("class-weights", rare, "--beta", "0.9")["weights"]
    assert list(weights) == ["common", "few", "pair", "single"]
    assert sum(weights.values()) / 4 == pytest.approx(1)
