from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imbsynth.configs import ImbalanceConfig
from imbsynth.engine.imbalance import run
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, contents


@pytest.fixture
def src(make_folder: MakeFolder) -> Path:
    return make_folder({"a": 30, "b": 20, "c": 20})


def test_counts_are_taken_in_class_name_order(src: Path, tmp_path: Path) -> None:
    report = run(ImbalanceConfig(src=src, dst=tmp_path / "dst", counts=(10, 4, 2)))
    assert report.counts == {"a": 10, "b": 4, "c": 2}
    assert (report.rho, report.images) == (5, 16)
    record = json.loads((tmp_path / "dst/run.json").read_text())
    made = contents(tmp_path / "dst")
    listed = [path for files in record["files"].values() for path in files]
    assert sorted(listed) == sorted(set(made) - {"run.json"})
    assert all(made[path] == (src / path).read_bytes() for path in listed)


def test_counts_from_a_file(src: Path, tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("c: 3\na: 1\nb: 2\n")
    config = ImbalanceConfig(src=src, dst=tmp_path / "dst", counts_file=tmp_path / "counts.yaml")
    assert run(config).counts == {"a": 1, "b": 2, "c": 3}


def test_profiles_and_the_aos_procedure(src: Path, tmp_path: Path) -> None:
    by_profile = {
        "exp": {"a": 30, "b": 9, "c": 3},
        "linear": {"a": 30, "b": 16, "c": 3},
        "step": {"a": 30, "b": 20, "c": 3},
    }
    for profile, counts in by_profile.items():
        config = ImbalanceConfig(src=src, dst=tmp_path / profile, profile=profile, ratio=10)  # type: ignore[arg-type]
        assert run(config).counts == counts
    config = ImbalanceConfig(src=src, dst=tmp_path / "aos", ratio=5, minority_fraction=0.7)
    assert sorted(run(config).counts.values()) == [4, 4, 20]


def test_the_same_seed_gives_the_same_bytes_and_another_another_draw(
    src: Path, tmp_path: Path
) -> None:
    made = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        run(ImbalanceConfig(src=src, dst=tmp_path / name, counts=(10, 4, 2), seed=seed))
        made.append(contents(tmp_path / name))
    assert made[0] == made[1]
    assert made[0].keys() != made[2].keys()


def test_a_smaller_draw_is_a_part_of_a_larger_one(src: Path, tmp_path: Path) -> None:
    run(ImbalanceConfig(src=src, dst=tmp_path / "small", counts=(5, 5, 5)))
    run(ImbalanceConfig(src=src, dst=tmp_path / "large", counts=(10, 10, 10)))
    assert contents(tmp_path / "small").keys() <= contents(tmp_path / "large").keys()


@pytest.mark.parametrize("link", ["hard", "symbolic"])
def test_links_copy_no_byte(src: Path, tmp_path: Path, link: str) -> None:
    run(ImbalanceConfig(src=src, dst=tmp_path / "dst", counts=(3, 2, 1), link=link))  # type: ignore[arg-type]
    made = sorted((tmp_path / "dst").glob("*/*.png"))
    assert len(made) == 6
    for path in made:
        assert os.path.samefile(path, src / path.relative_to(tmp_path / "dst"))
        assert path.is_symlink() == (link == "symbolic")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"counts": (31, 2, 1)}, "class a has 30 images, and 31 are asked for"),
        ({"counts": (3, 2)}, "2 numbers for 3 classes"),
        ({"counts": (3, 2, "x")}, "counts is"),
        ({"counts": (3, 2, 0)}, "class c would be left with 0 images"),
        ({"profile": "exp", "ratio": 100.0}, "class c would be left with 0 images"),
        ({"profile": "linear", "ratio": 1.1}, "larger ratio"),
        ({"counts": (-3, 2, 1)}, "class a would be left with -3 images"),
    ],
)
def test_impossible_sizes_name_the_class_and_leave_nothing(
    src: Path, tmp_path: Path, options: dict[str, object], named: str
) -> None:
    with pytest.raises(UserError, match=named):
        run(ImbalanceConfig(src=src, dst=tmp_path / "dst", **options))  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["src"]


def test_a_counts_file_that_does_not_fit_names_the_classes(src: Path, tmp_path: Path) -> None:
    (tmp_path / "counts.yaml").write_text("a: 1\nz: 2\n")
    with pytest.raises(UserError, match="names no class z and leaves out class b, c"):
        run(ImbalanceConfig(src=src, dst=tmp_path / "dst", counts_file=tmp_path / "counts.yaml"))


def test_the_output_stays_out_of_the_input(src: Path) -> None:
    with pytest.raises(UserError, match=r" lies in | holds "):
        run(ImbalanceConfig(src=src, dst=src / "dst", counts=(3, 2, 1)))
