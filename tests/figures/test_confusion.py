from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.figures.confusion import write_confusion, write_recalls
from imbsynth.figures.curves import write_curves
from imbsynth.figures.drawing import NAMED, blank, name_classes


def drawn_names(classes: list[str], room: int) -> tuple[dict[int, str], str]:
    """What stands beside the rows of a map, by row, and along the axis."""
    axes = blank(4, 4).subplots()
    axes.imshow(np.zeros((len(classes), 3)))
    axes.set_ylabel("true")
    name_classes(axes, "y", classes, room=room)
    names = [label.get_text() for label in axes.get_yticklabels()]
    return dict(zip(map(int, axes.get_yticks()), names, strict=True)), axes.get_ylabel()


@pytest.mark.parametrize("count", [1, 43, 60])
def test_all_classes_are_named_where_there_is_room(count: int) -> None:
    classes = [str(7 * k) for k in range(count)]
    assert drawn_names(classes, NAMED) == (dict(enumerate(classes)), "true")


@pytest.mark.parametrize("count", [61, 200, 1000])
def test_more_classes_are_thinned_and_no_row_has_a_number_in_place_of_a_name(count: int) -> None:
    classes = [str(7 * k) for k in range(count)]
    names, label = drawn_names(classes, NAMED)
    assert NAMED // 2 < len(names) <= NAMED
    assert all(name == classes[row] for row, name in names.items())
    assert label == f"true ({len(names)} of {count} classes are named)"


@pytest.mark.parametrize(("classes", "least"), [(10, 600), (43, 1400), (70, 1200)])
def test_a_confusion_matrix_grows_with_its_classes(
    tmp_path: Path, classes: int, least: int
) -> None:
    confusion = np.random.default_rng(0).integers(0, 9, (classes, classes)).astype(np.float64)
    write_confusion(tmp_path / "a.png", confusion, [f"$class {k}" for k in range(classes)])
    with Image.open(tmp_path / "a.png") as image:
        assert least < image.height < 2 * least


def test_many_classes_without_an_error_are_drawn(tmp_path: Path) -> None:
    write_confusion(tmp_path / "a.png", np.eye(65), [str(k) for k in range(65)])
    with Image.open(tmp_path / "a.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 10


@pytest.mark.parametrize("classes", [3, 43, 200])
def test_recalls_of_any_number_of_classes_are_drawn(tmp_path: Path, classes: int) -> None:
    names = [str(k) for k in range(classes)]
    write_recalls(tmp_path / "a.png", {"plain": dict.fromkeys(names, 0.5)})
    recalls = np.full((3, classes), 0.5)
    write_curves(tmp_path / "b.png", {"loss": {"training": [3, 2, 1]}}, recalls, names, 2)
    for name in ("a.png", "b.png"):
        with Image.open(tmp_path / name) as image:
            assert 300 < image.height < 7000
