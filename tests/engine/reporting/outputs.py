"""Outputs as the commands write them, small, for the tests of `report`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.engine.comparison.files import write_evaluation, write_predictions

PNG_SIZE = (5, 3)


def draw(path: Path) -> None:
    """A picture in place of one that a command draws."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", PNG_SIZE, (200, 10, 10)).save(path)


def write_run(folder: Path, command: str, **record: object) -> None:
    """A run.json; record: what differs from an empty one."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"command": command, "config": {}, "inputs": {}, "versions": {"imbsynth": "0.1.0"}}
    (folder / "run.json").write_text(json.dumps({**made, "outputs": {}, **record}))


def write_scores(
    folder: Path, acsa: float, right: Sequence[int], *, of: int = 40, names: str = "ab"
) -> None:
    """An evaluation in which so many of the `of` images of each class are right."""
    write_evaluation(folder, acsa, {name: 10 * (i + 1) for i, name in enumerate(names)})
    write_predictions(folder, right, of=of, names=names)
    draw(folder / "confusion.png")
