from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import imbsynth
from imbsynth.engine.events import Event, Note, Started
from imbsynth.errors import UserError
from imbsynth.store.shard_writing import pack
from tests.conftest import MakeFolder, contents

Shard = Callable[[Path], Path]


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """Makes shards of a folder, in a folder of the same name."""

    def make(folder: Path) -> Path:
        made = Path(shutil.copytree(folder, tmp_path / "sharded" / folder.name))
        pack(made, 3)
        return made

    return make


def test_shards_give_the_bytes_that_their_folder_gives(
    rare: Path, shard: Shard, tmp_path: Path
) -> None:
    for number, src in enumerate((rare, shard(rare))):
        there = tmp_path / str(number)
        imbsynth.generate(src=src, dst=there / "made", seed=3, cache=tmp_path / "cache")
        imbsynth.imbalance(src=src, dst=there / "less", counts=(6, 3, 2, 1))
        imbsynth.convert(src=src, dst=there / "small", image_size=(4, 4))
        imbsynth.train_ae(src=src, out=there / "ae.safetensors", epochs=1, latent_dim=4)
    one, other = contents(tmp_path / "0"), contents(tmp_path / "1")
    assert one.keys() == other.keys()
    assert [path for path in one if one[path] != other[path]] == ["ae.jsonl"]  # it has times
    assert json.loads(other["made/run.json"])["config"]["src"] == "src"


def test_generated_shards_are_the_generated_folder(rare: Path, tmp_path: Path) -> None:
    folder, shards = tmp_path / "made", tmp_path / "shards/made"
    reports = [
        imbsynth.generate(src=rare, dst=folder, seed=5),
        imbsynth.generate(src=rare, dst=shards, seed=5, shards=4),
        imbsynth.generate(src=rare, dst=tmp_path / "again", seed=5, shards=4),
    ]
    assert reports[0].counts == reports[1].counts
    assert contents(shards) == contents(tmp_path / "again")
    assert sorted(path.name for path in shards.glob("*.tar")) == [
        f"shard-00000{i}.tar" for i in range(4)
    ]
    beside = {"manifest.jsonl", "samples.png"}
    assert {path: contents(shards)[path] for path in beside} == {
        path: contents(folder)[path] for path in beside
    }
    assert not any(path.is_dir() for path in shards.iterdir())
    cache = tmp_path / "cache"
    distances = [imbsynth.fid(real=src, features="pixels", cache=cache) for src in (folder, shards)]
    assert distances[0] == distances[1]
    for src in (folder, shards, shards / "shard-000003.tar"):
        with pytest.raises(UserError, match=f"{src} holds synthetic images .it has a manifest"):
            imbsynth.generate(src=src, dst=tmp_path / "more")
    alone = tmp_path / "alone.tar"
    shutil.copy(shards / "shard-000003.tar", alone)  # without the manifest, names say so
    with pytest.raises(UserError, match=r"alone\.tar holds synthetic images .by name"):
        imbsynth.split(src=alone, dst=tmp_path / "parts", fractions=(0.5, 0.5))
    imbsynth.generate(src=rare, dst=shards, seed=5, shards=2, force=True)
    assert len(list(shards.glob("*.tar"))) == 2


def test_converted_shards_are_the_converted_folder(rare: Path, tmp_path: Path) -> None:
    imbsynth.convert(src=rare, dst=tmp_path / "folder", image_size=(4, 4))
    imbsynth.convert(src=rare, dst=tmp_path / "shards", image_size=(4, 4), shards=2)
    imbsynth.convert(src=tmp_path / "shards", dst=tmp_path / "back")
    images = {path: data for path, data in contents(tmp_path / "folder").items() if "/" in path}
    back = contents(tmp_path / "back")
    assert {path: back[path] for path in images} == images
    with pytest.raises(UserError, match=r"in the folder of no class: 000\.png"):
        imbsynth.convert(src=rare / "pair", dst=tmp_path / "x", shards=1)


def test_shards_that_would_be_empty_are_refused(rare: Path, tmp_path: Path) -> None:
    for run in (imbsynth.generate, imbsynth.convert):
        with pytest.raises(UserError, match=r"shards is 100, and there are .* images"):
            run(src=rare, dst=tmp_path / "dst", shards=100)
    with pytest.raises(UserError, match="link hard makes links"):
        imbsynth.generate(src=rare, dst=tmp_path / "dst", shards=2, link="hard")
    assert not (tmp_path / "dst").exists()


def test_messages_name_the_source_as_it_was_given(
    make_folder: MakeFolder, shard: Shard, tmp_path: Path
) -> None:
    src = make_folder({"train": 0})
    shutil.move(make_folder({"a": 3, "b": 2}, name="images"), src / "train/classes")
    (src / "train/classes/a/000.png").write_bytes(b"no image")
    shards = shard(src)
    events: list[Event] = []
    report = imbsynth.inspect(src=shards, on_event=events.append)
    assert f"{shards}/train/classes" in report.level
    assert events[0] == Started(f"fetching {shards}", 3, "files")
    with pytest.raises(UserError) as caught:
        imbsynth.train_ae(src=shards, out=tmp_path / "ae.safetensors", on_event=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any(f"seem to be in {shards}/train/classes" in note for note in notes)
    assert "imbsynth-" not in str(caught.value) + "".join(notes)


def test_sources_are_taken_from_an_address(rare: Path, shard: Shard, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(rare), "memory://bucket/src", recursive=True)
    memory.put(str(shard(rare)), "memory://bucket/tars/src", recursive=True)
    try:
        made = []
        for src in (str(rare), "memory://bucket/src", "memory://bucket/tars/src"):
            imbsynth.generate(src=src, dst=tmp_path / "dst", force=True)
            made.append(contents(tmp_path / "dst"))
        assert made[0] == made[1] == made[2]
        found = imbsynth.inspect(src=rare, against=Path("memory://bucket/tars/src/*.tar"))
        assert len(found.in_both) == 20
        with pytest.raises(UserError, match=r"^memory://bucket/src: fewer than 3 images"):
            imbsynth.split(src=Path("memory://bucket/src"), dst=tmp_path / "d", folds=3)
    finally:
        MemoryFileSystem.store.clear()


def test_what_a_command_cannot_take_it_says(rare: Path, shard: Shard, tmp_path: Path) -> None:
    shards = shard(rare)
    problems: dict[str, Callable[[], Any]] = {
        "dst memory://b/x: only images can be at an address": lambda: imbsynth.generate(
            src=rare, dst="memory://b/x"
        ),
        "data s3://b: only images can be at an address": lambda: imbsynth.experiment(
            out=tmp_path / "out", protocol=tmp_path / "p.yaml", data="s3://b"
        ),
        f"link symbolic: {shards} is no local folder": lambda: imbsynth.split(
            src=shards, dst=tmp_path / "dst", link="symbolic", fractions=(0.5, 0.5)
        ),
        f"{shards / 'shard-000000.tar'}: of several arguments, each": lambda: imbsynth.predict(
            checkpoint=tmp_path / "clf.safetensors",
            src=sorted(shards.glob("*.tar")),
            out=tmp_path / "out",
        ),
        f"{shards} is no local folder, and the images must stay": lambda: imbsynth.experiment(
            on=shards, out=tmp_path / "out"
        ),
        f"{shards / 'out'} lies in {shards}": lambda: imbsynth.generate(
            src=shards, dst=shards / "out"
        ),
        f"{shards / 'cache'} lies in {shards}": lambda: imbsynth.inspect(
            src=shards, cache=shards / "cache"
        ),
    }
    for problem, run in problems.items():
        with pytest.raises(UserError) as caught:
            run()
        assert str(caught.value).startswith(problem)
