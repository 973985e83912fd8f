from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imbsynth.configs import SplitConfig
from imbsynth.engine.events import Note
from imbsynth.engine.split import run, run_on_part
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, contents


def test_parts_are_stratified_and_hold_every_image_once(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 40, "b": 10, "c": 3})
    report = run(SplitConfig(src=src, dst=tmp_path / "dst"))
    assert report.counts == {
        "train": {"a": 32, "b": 8, "c": 1},
        "val": {"a": 4, "b": 1, "c": 1},
        "test": {"a": 4, "b": 1, "c": 1},
    }
    held: list[str] = []
    for part in report.counts:
        held += contents(tmp_path / "dst" / part)
    assert sorted(held) == sorted(contents(src))


def test_each_image_is_tested_in_exactly_one_fold(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 11, "b": 7})
    report = run(SplitConfig(src=src, dst=tmp_path / "dst", folds=5))
    assert len(report.counts) == 10
    everything = set(contents(src))
    tested: list[str] = []
    for i in range(1, 6):
        test = set(contents(tmp_path / f"dst/fold-{i}/test"))
        assert set(contents(tmp_path / f"dst/fold-{i}/train")) == everything - test
        assert {path[0] for path in test} == {"a", "b"}
        tested += test
    assert sorted(tested) == sorted(everything)
    sizes = [sum(report.counts[f"fold-{i}/test"].values()) for i in range(1, 6)]
    assert max(sizes) - min(sizes) <= 1


def test_the_same_seed_gives_the_same_bytes(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 11, "b": 7})
    for name in ("one", "two"):
        run(SplitConfig(src=src, dst=tmp_path / name, fractions=(0.7, 0.3)))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_part_with_few_images_to_judge_by_is_named(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    events: list[object] = []
    src = make_folder({"a": 90, "b": 29})
    few = SplitConfig(src=src, dst=tmp_path / "few", fractions=(0.5, 0.3, 0.2))
    run(few, on_event=events.append)
    text = (
        "test has only 6 images of class b: each moves its recall by 1/6; "
        "with cross-validation folds, every image is tested once"
    )
    assert Note(text) in events
    events.clear()
    run(SplitConfig(src=src, dst=tmp_path / "folds", folds=5), on_event=events.append)
    run(SplitConfig(src=src, dst=tmp_path / "half", fractions=(0.6, 0.4)), on_event=events.append)
    assert not any(isinstance(event, Note) for event in events)
    one = make_folder({"a": 90, "b": 3}, name="small")
    alone = SplitConfig(src=one, dst=tmp_path / "one", fractions=(0.5, 0.3, 0.2))
    run(alone, on_event=events.append)
    assert "test has only 1 image of class b: its recall there is 0 or 1" in str(events)
    events.clear()
    run_on_part(replace(alone, dst=tmp_path / "fold"), on_event=events.append)
    assert not any(isinstance(event, Note) for event in events)  # an experiment says it once


def test_unreadable_files_are_named(make_folder: MakeFolder, tmp_path: Path) -> None:
    """An experiment stops: it would in the fold that tests on one, where only its copy is known."""
    events: list[object] = []
    src = make_folder({"a": 9, "b": 4})
    (src / "b/002.png").write_bytes(b"")
    parts = SplitConfig(src=src, dst=tmp_path / "dst", fractions=(0.6, 0.4))
    run(parts, on_event=events.append)
    assert "unreadable, and split like the others: b/002.png (" in str(events)
    assert "or leave them out with --skip-unreadable" in str(events)
    events.clear()
    run_on_part(replace(parts, dst=tmp_path / "part"), on_event=events.append)
    assert not any(isinstance(event, Note) for event in events)
    with pytest.raises(UserError, match=r"/src: 1 unreadable file: b/002\.png .*\n.*remove"):
        run_on_part(replace(parts, dst=tmp_path / "folds", fractions=None, folds=3))


def test_a_class_too_small_for_the_parts_is_named(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 9, "b": 2})
    with pytest.raises(UserError, match="fewer than 3 images in class b"):
        run(SplitConfig(src=src, dst=tmp_path / "dst"))
