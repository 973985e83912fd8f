from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imbsynth.configs import GenerateConfig
from imbsynth.core.near_copies import near_copies
from imbsynth.core.pixels import to_unit
from imbsynth.engine.auditing.filter import NEAR_COPY, UNLIKELY
from imbsynth.engine.events import Event, Note
from imbsynth.engine.generate import Report, run
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, contents
from tests.engine.test_audit import pattern


@pytest.fixture
def patterns(tmp_path: Path) -> Path:
    """Noise that is brighter on the left (a) or on the right (b)."""
    rng = np.random.default_rng(0)
    for name, count in (("a", 40), ("b", 12)):
        (tmp_path / "src" / name).mkdir(parents=True)
        for i in range(count):
            pattern(name, rng).save(tmp_path / "src" / name / f"{i:02d}.png")
    return tmp_path / "src"


def kept(src: Path, dst: Path, **options: Any) -> Report:
    given = {"min_probability": 0.3, "device": "cpu", **options}
    return run(GenerateConfig(src=src, dst=dst, **given))


def rows_of(folder: Path) -> list[int]:
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line)["row"] for line in lines]


def test_near_copies_are_replaced_by_the_next_rows(patterns: Path, tmp_path: Path) -> None:
    whole = run(GenerateConfig(src=patterns, dst=tmp_path / "all", to=80, device="cpu"))
    assert whole.dropped == {}
    report = kept(patterns, tmp_path / "kept", to=80)
    assert report.added == whole.added
    assert report.counts == {"a": 80, "b": 80}
    record = json.loads((tmp_path / "kept/run.json").read_text())
    assert (record["added"], record["dropped"]) == (report.added, report.dropped)
    for name in ("a", "b"):
        # 12x12 pixels of noise: a point of a segment is near its end for lam below about 0.1.
        assert report.dropped[name][NEAR_COPY] > 0
        own = [Image.open(path) for path in sorted((tmp_path / "kept" / name).glob("syn*"))]
        made, real = (
            to_unit(np_images(images))
            for images in (own, [Image.open(p) for p in (patterns / name).glob("*.png")])
        )
        assert not near_copies(made, real).is_copy.any()
    # What is kept has its row, its name and its bytes from the plan without a filter.
    before, after = contents(tmp_path / "all"), contents(tmp_path / "kept")
    both = [name for name in after if "synthetic-" in name and name in before]
    assert len(both) > 40
    assert all(before[name] == after[name] for name in both)


def np_images(images: list[Any]) -> Any:
    import torch

    return torch.from_numpy(np.stack([np.asarray(image) for image in images])[:, None])


def test_a_larger_target_begins_with_the_smaller_one(patterns: Path, tmp_path: Path) -> None:
    kept(patterns, tmp_path / "small", to=50)
    kept(patterns, tmp_path / "large", to=70, batch_size=7)
    small, large = (
        {k: v for k, v in contents(tmp_path / name).items() if "synthetic-" in k}
        for name in ("small", "large")
    )
    assert small.items() < large.items()


def test_images_of_another_class_are_dropped(patterns: Path, tmp_path: Path) -> None:
    """Half of class b looks like class a: what is between two of those is not kept."""
    rng = np.random.default_rng(1)
    for i in range(4):
        pattern("a", rng).save(patterns / "b" / f"{i:02d}.png")
    report = kept(patterns, tmp_path / "dst", min_probability=0.5)
    assert report.dropped["b"][UNLIKELY] > 0
    wrong = {f"b/{i:02d}.png" for i in range(4)}
    lines = (tmp_path / "dst/manifest.jsonl").read_text().splitlines()
    made = [json.loads(line) for line in lines]
    both_wrong = [line for line in made if set(line["parents"]) <= wrong]
    assert len(both_wrong) < 0.1 * len(made)


def test_a_class_that_cannot_be_filled_is_named(patterns: Path, tmp_path: Path) -> None:
    """All images of b are the same: every one between them is a copy."""
    for path in (patterns / "b").glob("*.png"):
        path.write_bytes((patterns / "b/00.png").read_bytes())
    notes: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    config = GenerateConfig(
        src=patterns, dst=tmp_path / "dst", to=45, min_probability=0.1, device="cpu", batch_size=30
    )
    report = run(config, on_event=listen)
    assert report.added == {"a": 5, "b": 0}
    assert report.counts == {"a": 45, "b": 12}
    assert report.dropped["b"] == {NEAR_COPY: 20 * 33}
    assert any("class b (0 of 33)" in note for note in notes)


def test_a_class_with_a_single_image_is_kept(rare: Path, tmp_path: Path) -> None:
    report = kept(rare, tmp_path / "dst", method="augment", min_probability=0.01)
    assert report.added["single"] == 11
    assert "single" not in report.dropped


def test_there_must_be_something_to_judge(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 5, "b": 1})
    with pytest.raises(UserError, match="min_probability: the judges need 2 classes"):
        kept(src, tmp_path / "dst")
    assert not (tmp_path / "dst").exists()
    with pytest.raises(UserError, match="method ros makes nothing else"):
        kept(src, tmp_path / "dst", method="ros")
