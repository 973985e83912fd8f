from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbsynth.configs import AosTrainConfig, GenerateConfig, SplitConfig
from imbsynth.engine import aos_train, generate, split
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.grouping import RUNS, suggestion
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.holding_out import hold_out
from imbsynth.errors import UserError
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import MakeFolder, contents, draw_image

TRACKS = {"a": [5, 5, 5, 5, 5, 5, 5, 5], "b": [6, 3, 3, 2, 2]}  # images of each


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    """Frames called 00012_00003.png; the tracks of two classes have different numbers."""
    return make_tracks(tmp_path / "src", TRACKS)


def make_tracks(root: Path, sizes: Mapping[str, Sequence[int]]) -> Path:
    track = 0
    for name, own in sizes.items():
        (root / name).mkdir(parents=True)
        for frames in own:
            for frame in range(frames):
                picture = draw_image(100 * track + frame, 8, 8, "L")
                picture.save(root / name / f"{track:05d}_{frame:05d}.png")
            track += 1
    return root


def write_list(path: Path, src: Path) -> list[str]:
    """List the track of every frame; the lines."""
    files = sorted(contents(src))
    lines = ["file,group", *(f"{file},{file.split('/')[1][:5]}" for file in files)]
    path.write_text("\n".join(lines) + "\n")
    return lines


def tracks_of(folder: Path) -> set[str]:
    return {path.name[:5] for path in folder.rglob("*_*.png")}


def notes_of(run: Any, config: Any) -> list[str]:
    """What a run says; its outcome does not matter."""
    events: list[Event] = []
    run(config, on_event=events.append)
    return [event.text for event in events if isinstance(event, Note)]


@pytest.mark.parametrize("way", ["groups", "group_pattern"])
@pytest.mark.parametrize("how", [{}, {"fractions": (0.7, 0.3)}, {"folds": 4}])
def test_no_track_is_in_two_parts(tracks: Path, tmp_path: Path, way: str, how: Any) -> None:
    write_list(tmp_path / "groups.csv", tracks)
    given: dict[str, Any] = {"groups": tmp_path / "groups.csv", "group_pattern": r"^(\d+)_"}
    config = SplitConfig(src=tracks, dst=tmp_path / "dst", **{way: given[way]}, **how)
    report = split.run(config)
    parts = [part for part in report.counts if not part.endswith("/train")]
    assert all(min(report.counts[part].values()) > 0 for part in parts)
    held = [tracks_of(tmp_path / "dst" / part) for part in parts]
    assert sum(map(len, held)) == len(set().union(*held)) == 13
    for fold in {part.split("/")[0] for part in report.counts if "/" in part}:
        assert not tracks_of(tmp_path / f"dst/{fold}/train") & tracks_of(
            tmp_path / f"dst/{fold}/test"
        )


def test_parts_of_whole_tracks_come_close_to_their_shares(tracks: Path, tmp_path: Path) -> None:
    config = SplitConfig(src=tracks, dst=tmp_path / "dst", group_pattern=r"^(\d+)_")
    assert split.run(config).counts == {  # of 40 and 16: one track, and 2 frames, are the nearest
        "train": {"a": 30, "b": 12},
        "val": {"a": 5, "b": 2},
        "test": {"a": 5, "b": 2},
    }


def test_a_record_has_the_groups_and_a_seed_gives_the_same_bytes(
    tracks: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        config = SplitConfig(src=tracks, dst=tmp_path / name, group_pattern=r"^(\d+)_")
        split.run(config)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    record = json.loads((tmp_path / "one/run.json").read_text())
    assert record["config"]["group_pattern"] == r"^(\d+)_"
    assert record["groups"]["b/00012_00001.png"] == "00012"


def test_a_pattern_with_a_slash_sees_class_and_folders(tmp_path: Path) -> None:
    src = make_tracks(tmp_path / "src", TRACKS)
    for path in sorted(src.rglob("*.png")):
        (path.parent / path.name[:5]).mkdir(exist_ok=True)
        path.rename(path.parent / path.name[:5] / path.name[6:])
    config = SplitConfig(src=src, dst=tmp_path / "dst", group_pattern="^[^/]+/(?P<group>[^/]+)/")
    split.run(config)
    parts = [
        {path.parent.name for path in (tmp_path / "dst" / part).rglob("*.png")}
        for part in ("train", "val", "test")
    ]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 13


def test_groups_with_the_same_image_stay_together(tracks: Path, tmp_path: Path) -> None:
    shutil.copy(tracks / "a/00000_00000.png", tracks / "a/00003_00009.png")
    config = SplitConfig(src=tracks, dst=tmp_path / "dst", group_pattern=r"^(\d+)_")
    assert "1 groups were joined to others that have the same image" in notes_of(split.run, config)
    (part,) = [p for p in ("train", "val", "test") if "00000" in tracks_of(tmp_path / "dst" / p)]
    assert "00003" in tracks_of(tmp_path / "dst" / part)


def test_a_class_in_one_group_cannot_be_split(tmp_path: Path) -> None:
    src = make_tracks(tmp_path / "src", {"a": [5, 5, 5], "b": [9]})
    config = SplitConfig(src=src, dst=tmp_path / "dst", group_pattern=r"^(\d+)_")
    with pytest.raises(UserError, match=r"fewer than 3 groups in class b \(1\)\n.*stays in one"):
        split.run(config)
    assert not (tmp_path / "dst").exists()


def test_classes_that_share_all_groups_may_leave_none_for_a_part(tmp_path: Path) -> None:
    src = make_tracks(tmp_path / "src", {"a": [2, 2], "b": [2, 2], "c": [2, 2]})
    names = ["one", "two", "one", "three", "two", "three"]  # of the six tracks
    lines = [f"{file},{names[int(file[2:7])]}\n" for file in contents(src)]
    (tmp_path / "groups.csv").write_text("file,group\n" + "".join(lines))
    config = SplitConfig(
        src=src, dst=tmp_path / "dst", fractions=(0.5, 0.5), groups=tmp_path / "groups.csv"
    )
    with pytest.raises(UserError, match=r"no split by group was found that has class . in"):
        split.run(config)


def test_files_without_a_group_are_named(tracks: Path, tmp_path: Path) -> None:
    draw_image(9, 8, 8, "L").save(tracks / "a/still.png")
    with pytest.raises(UserError, match=r"finds no group in a/still\.png of"):
        split.run(SplitConfig(src=tracks, dst=tmp_path / "dst", group_pattern=r"^(\d+)_"))
    lines = write_list(tmp_path / "groups.csv", tracks)
    (tmp_path / "groups.csv").write_text("\n".join(line for line in lines if "still" not in line))
    config = SplitConfig(src=tracks, dst=tmp_path / "dst", groups=tmp_path / "groups.csv")
    with pytest.raises(UserError, match=r"groups\.csv: no line for a/still\.png in"):
        split.run(config)


def test_a_list_with_other_files_is_for_a_folder_above(tracks: Path, tmp_path: Path) -> None:
    write_list(tmp_path / "groups.csv", tracks)
    listed: dict[str, Any] = {"groups": tmp_path / "groups.csv"}
    split.run(SplitConfig(src=tracks, dst=tmp_path / "parts", fractions=(0.7, 0.3), **listed))
    part = tmp_path / "parts/train"
    config = SplitConfig(src=part, dst=tmp_path / "dst", fractions=(0.7, 0.3), **listed)
    with pytest.raises(
        UserError, match=r"groups\.csv: line \d+: .*train has no image a/.*lines mo"
    ):
        split.run(config)
    split.run_on_part(config)
    assert not tracks_of(tmp_path / "dst/train") & tracks_of(tmp_path / "dst/test")
    train = AosTrainConfig(
        src=part, out=tmp_path / "clf.safetensors", epochs=1, device="cpu", **listed
    )
    aos_train.run(train)  # a list for all parts of a folder serves to train on one of them


def test_validation_images_are_of_other_groups(tracks: Path) -> None:
    images = read_labelled(tracks, AS_THEY_ARE, on_event=silent)
    config = AosTrainConfig(
        src=tracks, out=tracks.parent / "clf.safetensors", group_pattern=r"^(\d+)_"
    )
    for seed in range(3):
        parts = hold_out(tracks, images, 0.3, seed, grouping=config)
        sides = [{images.paths[i][2:7] for i in part} for part in (parts.train, parts.val)]
        assert not sides[0] & sides[1]
        assert len(sides[0] | sides[1]) == 13
        assert np.bincount(images.labels[parts.val]).tolist() in ([10, 5], [10, 4], [10, 6])
    one = AosTrainConfig(src=tracks, out=config.out, group_pattern=r"(.png)")
    with pytest.raises(UserError, match=r"fewer than 2 groups in class a \(1\)"):
        hold_out(tracks, images, 0.3, 0, grouping=one)


def test_a_grouped_training_with_validation_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="group_pattern is for holding out a part of SRC"):
        AosTrainConfig(
            src=tmp_path, out=tmp_path / "c.safetensors", val=tmp_path, group_pattern="(a)"
        )


@pytest.mark.parametrize(
    ("names", "seems"),
    [
        (["00012_00000", "00012_00001", "00012_00002", "7_0", "7_1", "7_2"], True),
        (["walk01-1", "walk01-2", "walk01-3", "run01-1", "run01-2", "run01-3", "still"], True),
        ([f"{i:05d}" for i in range(9)], False),  # numbered alone
        ([f"cat.{i}" for i in range(9)], False),  # one beginning for all
        ([f"img_{i}_{j}" for i in range(5) for j in range(2)], False),  # two are no run
        (["a1", "a2", "a3", "b1", "b2", "b3", *"stuvwxyz"], False),  # most are in none
    ],
)
def test_runs_are_seen_in_file_names(names: list[str], seems: bool) -> None:
    files = {"a": [f"a/{name}.jp2" for name in names]}
    assert bool(suggestion(files)) == seems


def test_a_split_without_groups_says_that_names_look_like_runs(
    tracks: Path, tmp_path: Path
) -> None:
    notes = notes_of(split.run, SplitConfig(src=tracks, dst=tmp_path / "dst"))
    (note,) = [note for note in notes if RUNS in note]
    assert "b/00008_00000.png" in note or "a/00000_00000.png" in note
    config = SplitConfig(src=tracks, dst=tmp_path / "grouped", group_pattern=RUNS)
    assert not any(RUNS in note for note in notes_of(split.run, config))
    assert not tracks_of(tmp_path / "grouped/train") & tracks_of(tmp_path / "grouped/test")


def test_synthetic_images_are_no_run_of_frames(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 12, "b": 4, "c": 4})
    for path in sorted(src.rglob("*.png")):
        path.rename(path.with_name(f"photo-{path.name}"))
    generate.run(GenerateConfig(src=src, dst=tmp_path / "dst"))
    config = AosTrainConfig(
        src=tmp_path / "dst", out=tmp_path / "clf.safetensors", epochs=1, device="cpu"
    )
    assert not [text for text in notes_of(aos_train.run, config) if "runs of related" in text]


def test_a_run_is_not_resumed_with_another_list_of_groups(tracks: Path, tmp_path: Path) -> None:
    """Images that it has trained on would be held out, and choose its best epoch."""
    listed = tmp_path / "groups.csv"
    lines = write_list(listed, tracks)
    config = AosTrainConfig(
        src=tracks, out=tmp_path / "clf.safetensors", epochs=1, device="cpu", groups=listed
    )
    aos_train.run(config)
    aos_train.run(replace(config, resume=True))  # nothing to do
    listed.write_text("\n".join(lines).replace(",00001", ",00002"))
    with pytest.raises(UserError, match="run with another groups list than is there now"):
        aos_train.run(replace(config, resume=True))
