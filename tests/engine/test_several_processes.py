"""Several processes carry out a command as one would: the same files, the same numbers."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from imbsynth.configs import FidConfig, GenerateConfig
from imbsynth.engine import fid, generate
from imbsynth.engine.events import Event, Note, Started
from imbsynth.errors import UserError
from imbsynth.runtime import joined
from tests.conftest import MakeFolder, contents
from tests.together import place_of, together

CPU = torch.device("cpu")


def generated(configs: list[GenerateConfig]) -> tuple[list[generate.Report], list[str]]:
    """The reports of some runs, and what was noted on the way."""
    notes: list[str] = []

    def listen(event: Event) -> None:
        notes.extend([event.text] if isinstance(event, Note) else [])

    with joined(CPU):
        return [generate.run(config, on_event=listen) for config in configs], notes


def test_several_processes_generate_the_bytes_of_one(
    rare: Path, encoder: Path, tmp_path: Path
) -> None:
    """Every way to make images, of which each process makes some, not all of one class."""
    ways: list[dict[str, Any]] = [
        {"ae": encoder, "to": 300},
        {"ae": encoder, "to": 150, "decode": "residual", "synthetic_only": True},
        {"ae": encoder, "decode": "plain", "reconstruct_originals": True},
        {"method": "ros", "batch_size": 3, "link": "hard"},
        {"method": "ccr", "batch_size": 3, "clean": "move", "energy": 2.0},
        {"method": "augment", "batch_size": 3, "shards": 2},
        {"to": 12, "batch_size": 100},  # as few batches as growing classes
    ]
    one, several = (
        [
            GenerateConfig(src=rare, dst=tmp_path / place / str(n), device="cpu", **way)
            for n, way in enumerate(ways)
        ]
        for place in ("one", "several")
    )
    reports, notes = generated(one)
    found = together(3, generated, several)
    for process in found:
        assert isinstance(process, tuple), process
        assert process[0] == found[0][0]
    assert sorted(found[0][1]) == sorted(notes)
    assert found[1][1] == found[2][1] == []
    for own, report, config in zip(found[0][0], reports, several, strict=True):
        assert replace(own, images_per_second=0, out="", samples="") == replace(
            report, images_per_second=0, out="", samples=""
        )
        there = tmp_path / "one" / config.dst.name
        assert contents(config.dst) == contents(there), config
    assert {path.name for path in several[0].dst.parent.iterdir()} == set("0123456")


def killed_while_generating(config: GenerateConfig) -> None:
    """Process 1 is killed as soon as the writer begins to make images."""
    pids = config.dst.parent / "pids"
    pids.mkdir(parents=True, exist_ok=True)
    (pids / os.environ["RANK"]).write_text(str(os.getpid()))

    def listen(event: Event) -> None:
        if isinstance(event, Started) and event.task == "generating":
            os.kill(int((pids / "1").read_text()), signal.SIGKILL)

    generate.run(config, on_event=listen)


def test_nothing_is_left_where_a_process_is_killed(rare: Path, tmp_path: Path) -> None:
    config = GenerateConfig(src=rare, dst=tmp_path / "out/dst", to=200, device="cpu")
    writer, killed = together(2, killed_while_generating, config)
    assert killed is None
    assert writer.kind == "ProcessLost"
    assert "another process of this run has ended" in writer.text
    assert [path.name for path in config.dst.parent.iterdir()] == ["pids"]


def compared(configs: list[FidConfig]) -> list[fid.Report]:
    with joined(CPU):
        return [fid.run(config) for config in configs]


def test_several_processes_measure_the_distance_of_one(
    make_folder: MakeFolder, encoder: Path, tmp_path: Path
) -> None:
    """Batches end where they end for one process, so all numbers are the same to the bit."""
    real = make_folder({"a": 90, "b": 27}, name="real")
    fake = make_folder({"a": 31, "b": 70}, name="fake", first=500)
    for number in (3, 4, 5, 20):  # all files of a batch, and one of another
        (real / f"a/{number:03d}.png").write_bytes(b"no image")
    folders: dict[str, Any] = {"real": real, "fake": fake, "device": "cpu"}
    common: dict[str, Any] = {**folders, "skip_unreadable": True, "batch_size": 3}
    ways: list[dict[str, Any]] = [
        {"features": str(encoder), "kid": True, "plot": tmp_path / "fid.png", "force": True},
        {"features": "pixels", "batch_size": 1000},  # a single batch
        {"features": "pixels", "cache": tmp_path / "cache"},
        {"features": "pixels", "cache": tmp_path / "cache"},  # where it is found
    ]
    configs = [FidConfig(**common | way) for way in ways]
    own = tmp_path / "own"
    alone = compared([replace(config, cache=config.cache and own) for config in configs])
    found = together(3, compared, configs)
    assert found == [alone] * 3
    assert contents(tmp_path / "cache") == contents(own)
    assert alone[0].skipped == [str(real / f"a/{number:03d}.png") for number in (3, 4, 5, 20)]


def test_all_processes_refuse_what_one_cannot_read(make_folder: MakeFolder) -> None:
    real, fake = make_folder({"a": 9}, name="real"), make_folder({"a": 9}, name="fake")
    for number in (1, 8):  # read by different processes
        (real / f"a/{number:03d}.png").write_bytes(b"no image")
    config = FidConfig(real=real, fake=fake, features="pixels", batch_size=2, device="cpu")
    for failed in together(2, compared, [config]):
        assert failed.kind == "UserError"
        assert "2 unreadable files" in failed.text
        assert "001.png" in failed.text
        assert "008.png" in failed.text


def test_a_filter_needs_a_single_process(
    rare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place_of(0, 2, port=1).items():
        monkeypatch.setenv(name, value)
    config = GenerateConfig(src=rare, dst=tmp_path / "dst", min_probability=0.3)
    with pytest.raises(UserError, match="with min_probability runs in one process, and 2 were"):
        generate.run(config)
