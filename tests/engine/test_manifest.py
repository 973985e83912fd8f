from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imbsynth.engine.manifest import Made, file_of, made_of, synthetic_among
from imbsynth.errors import UserError


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "manifest.jsonl").write_text(text)
    return folder


def test_a_folder_without_manifest_has_real_images_only(tmp_path: Path) -> None:
    assert made_of(tmp_path) == {}


def test_any_number_of_parents(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"file": f"a/{n}.png", "method": "m", "parents": [f"b/{i}.png" for i in range(n)]}
        for n in range(4)
    ]
    made = made_of(write(tmp_path, *lines))
    assert made["a/0.png"] == Made("m", ())
    assert made["a/3.png"] == Made("m", ("b/0.png", "b/1.png", "b/2.png"))


def test_a_manifest_of_the_older_form_is_read(tmp_path: Path) -> None:
    old = {"file": "a/s.png", "class": "a", "method": "smote", "space": "pixel", "lam": 0.25}
    made = made_of(write(tmp_path, {**old, "base": "a/1.png", "neighbour": "a/2.png"}))
    assert made == {"a/s.png": Made("smote", ("a/1.png", "a/2.png"))}


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"file": "a/s.png", "method": "m"},
        {"file": "a/s.png", "method": "m", "base": "a/1.png"},
        {"file": "a/s.png", "method": "m", "parents": "a/1.png"},
        {"file": "a/s.png", "method": "m", "parents": ["../a"]},
        {"file": "a/s.png", "method": "m", "parents": [None]},
        {"file": "/a/s.png", "method": "m", "parents": []},
        {"file": "a/s.png", "method": 3, "parents": []},
        {"file": ["a/s.png"], "method": "m", "parents": []},
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: dict[str, Any]) -> None:
    good = {"file": "a/0.png", "method": "m", "parents": []}
    with pytest.raises(UserError, match="line 2 does not name"):
        made_of(write(tmp_path, good, line))


def test_synthetic_images_are_named_by_class_and_row() -> None:
    assert file_of("b b", 6) == "b b/synthetic-000007.png"
    named = ["b b/synthetic-000007.png", "b/synthetic-1000000.bmp"]
    real = ["synthetic-000007.png/7.png", "b/synthetic-fibre.png", "b/7.png"]
    assert synthetic_among([*named, *real], {}) == named
    assert synthetic_among(real, {"b/7.png": Made("reconstruct", ("b/7.png",))}) == ["b/7.png"]
