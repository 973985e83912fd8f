from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine import aos_train, train_ae
from imbsynth.errors import UserError
from imbsynth.store.event_files import EVENTS, write_events
from imbsynth.store.records import read_lines
from tests.conftest import MakeFolder, contents

INSTALLED = importlib.util.find_spec("tensorboard") is not None
installed = pytest.mark.skipif(not INSTALLED, reason="needs tensorboard")


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """{name: (step, value) of each event}, as TensorBoard reads the folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def line(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "seconds": 2.0, "loss": 1 / epoch, "recalls": [0.5], "new": True}


@installed
def test_numbers_are_read_back_by_tensorboard(tmp_path: Path) -> None:
    write_events(tmp_path / EVENTS, [line(1), line(2)])
    assert scalars(tmp_path) == {"loss": [(1, 1.0), (2, 0.5)], "seconds": [(1, 2.0), (2, 2.0)]}


@installed
def test_a_longer_history_begins_with_the_shorter_one(tmp_path: Path) -> None:
    write_events(tmp_path / "short", [line(1)])
    write_events(tmp_path / "long", [line(1), line(2)])
    short, long = (tmp_path / name for name in ("short", "long"))
    assert long.read_bytes().startswith(short.read_bytes())
    assert len(long.read_bytes()) > len(short.read_bytes())


@installed
def test_a_run_that_goes_on_has_every_epoch_once(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 6, "b": 4})
    options: dict[str, Any] = {"src": src, "latent_dim": 4, "device": "cpu"}
    out, board = src.parent / "ae.safetensors", src.parent / "board"
    code = (
        "import imbsynth, os, signal\n"
        "from imbsynth.engine.events import EpochDone\n"
        "def hear(event):\n"
        "    if isinstance(event, EpochDone) and event.epoch == 2:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        f"imbsynth.train_ae(src={str(src)!r}, out={str(out)!r}, tensorboard={str(board)!r}, "
        "latent_dim=4, epochs=4, device='cpu', on_event=hear)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True)
    assert ended.returncode != 0
    assert out.with_suffix(".state.safetensors").exists(), ended.stderr
    assert [step for step, _ in scalars(board / "ae")["recon_loss"]] == [1, 2]
    train_ae.run(TrainAeConfig(out=out, tensorboard=board, epochs=4, resume=True, **options))
    found = scalars(board / "ae")
    assert [step for step, _ in found["recon_loss"]] == [1, 2, 3, 4]
    log = read_lines(out.with_suffix(".jsonl"))
    assert [value for _, value in found["recon_loss"]] == pytest.approx(
        [one["recon_loss"] for one in log]
    )


@installed
def test_the_checkpoint_does_not_depend_on_it(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 6, "b": 4})
    options: dict[str, Any] = {"src": src, "latent_dim": 4, "epochs": 1, "device": "cpu"}
    one, other = src.parent / "x/ae.safetensors", src.parent / "y/ae.safetensors"
    train_ae.run(TrainAeConfig(out=one, **options))
    train_ae.run(TrainAeConfig(out=other, tensorboard=src.parent / "board", **options))
    assert one.read_bytes() == other.read_bytes()


@installed
def test_the_events_of_another_run_are_not_replaced_unasked(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 6, "b": 4})
    board = src.parent / "board/ae" / EVENTS
    board.parent.mkdir(parents=True)
    board.write_text("mine")
    options: dict[str, Any] = {"src": src, "out": src.parent / "ae.safetensors", "device": "cpu"}
    with pytest.raises(UserError, match="tfevents"):
        train_ae.run(TrainAeConfig(tensorboard=src.parent / "board", epochs=1, **options))
    assert board.read_text() == "mine"


@installed
def test_events_do_not_become_a_class_of_the_images(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 6, "b": 4})
    val = make_folder({"a": 3, "b": 3}, name="val", first=50)
    options: dict[str, Any] = {"src": src, "out": src.parent / "x.safetensors", "device": "cpu"}
    before = contents(src.parent)
    for board in (src, src / "board", val):
        with pytest.raises(UserError, match="lies in"):
            aos_train.run(AosTrainConfig(tensorboard=board, val=val, epochs=1, **options))
    with pytest.raises(UserError, match="lies in"):
        train_ae.run(TrainAeConfig(tensorboard=src, epochs=1, **options))
    assert contents(src.parent) == before


def test_without_the_package_the_fix_is_said_before_anything_is_read(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    src = make_folder({"a": 6, "b": 4})
    monkeypatch.setattr("imbsynth.extras.find_spec", lambda name: None)
    options: dict[str, Any] = {"src": src, "out": src.parent / "ae.safetensors", "epochs": 1}
    before = contents(src.parent)
    with pytest.raises(UserError, match=r"pip install imbsynth\[tensorboard\]"):
        train_ae.run(TrainAeConfig(tensorboard=src.parent / "board", **options))
    assert contents(src.parent) == before
