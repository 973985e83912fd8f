from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine import aos_train, train_ae
from imbsynth.engine.events import EpochDone, Event, Note, Started, silent
from imbsynth.engine.inference.autoencoder import load_autoencoder
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.autoencoder import autoencoder_trainer
from imbsynth.errors import Interrupted, UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import MakeFolder, contents


def config(src: Path, out: Path, **options: Any) -> TrainAeConfig:
    small: dict[str, Any] = {"epochs": 3, "batch_size": 8, "latent_dim": 6, "device": "cpu"}
    return TrainAeConfig(src=src, out=out, precision="fp32", **small | options)


def kill_after(steps: int) -> Any:
    """A listener that sends this process SIGTERM when so many epochs are done."""
    seen = 0

    def listen(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, EpochDone)
        if isinstance(event, EpochDone) and seen == steps:
            os.kill(os.getpid(), signal.SIGTERM)

    return listen


@pytest.mark.parametrize(("size", "mode"), [((28, 28), "L"), ((32, 32), "RGB"), ((13, 21), "RGB")])
def test_a_run_writes_checkpoint_log_and_sheet(
    make_folder: MakeFolder, tmp_path: Path, size: tuple[int, int], mode: str
) -> None:
    src = make_folder({"a": 6, "b": 3}, size=size, mode=mode)
    report = train_ae.run(config(src, tmp_path / "ae.safetensors", epochs=2))
    model = load_autoencoder(tmp_path / "ae.safetensors")
    assert model.shape[1:3] == size
    assert model.shape.channels == {"L": 1, "RGB": 3}[mode]
    lines = [json.loads(line) for line in (tmp_path / "ae.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[-1]["recon_loss"] == report.recon_loss
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ae.jsonl", "ae.png", "ae.safetensors", "src",
    ]  # fmt: skip


def test_the_network_learns(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 20, "b": 5})
    losses = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone):
            losses.append(event.losses["recon_loss"])

    train_ae.run(config(src, tmp_path / "ae.safetensors", epochs=15), on_event=listen)
    assert losses[-1] < losses[0] / 2


def test_the_scripts_decoder_is_in_the_checkpoint(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 6, "b": 3}, size=(16, 18))
    train_ae.run(config(src, tmp_path / "ae.safetensors", epochs=1, decoder="script"))
    assert load_autoencoder(tmp_path / "ae.safetensors").shape[:5] == (1, 16, 18, 6, "script")


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Black images with a white square."""
    root = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    for index in range(40):
        pixels = np.zeros((16, 16), np.uint8)
        top, left = rng.integers(1, 8, 2)
        pixels[top : top + 7, left : left + 7] = 255
        folder = root / "ab"[index % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return root


@pytest.mark.parametrize(
    ("loss", "least", "most"), [("mse", 0, 0), ("censored-mse", 0.5, 1), ("censored-l1", 0.5, 1)]
)
def test_a_censored_loss_leaves_no_noise_in_black_and_white(
    squares: Path, tmp_path: Path, loss: str, least: float, most: float
) -> None:
    out = tmp_path / "ae.safetensors"
    train_ae.run(config(squares, out, epochs=40, batch_size=20, lr=2e-3, patience=0, loss=loss))
    model = load_autoencoder(out).eval()
    images = read_labelled(squares, AS_THEY_ARE, on_event=silent).pixels
    with torch.inference_mode():
        made = model(torch.from_numpy(images) / 255)
    assert made.min() >= 0
    assert made.max() <= 1
    plain = ((made == 0) | (made == 1)).float().mean().item()
    assert least <= plain <= most


@pytest.mark.parametrize("penalty", ["permuted", "aligned", "none"])
def test_penalties_differ_and_none_has_none(
    make_folder: MakeFolder, tmp_path: Path, penalty: Any
) -> None:
    src = make_folder({"a": 10, "b": 5})
    report = train_ae.run(config(src, tmp_path / "ae.safetensors", penalty=penalty))
    assert (report.penalty_loss > 0) == (penalty != "none")


def test_equal_runs_end_in_equal_bytes(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 10, "b": 5})
    made = []
    for name in ("one", "two"):
        train_ae.run(config(src, tmp_path / name / "ae.safetensors"))
        made.append(contents(tmp_path / name))
        del made[-1]["ae.jsonl"]  # it carries durations
    assert made[0] == made[1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("epochs_before", [1, 2])
def test_a_resumed_run_ends_in_the_bytes_of_an_unbroken_one(
    make_folder: MakeFolder, tmp_path: Path, epochs_before: int, precision: Any
) -> None:
    src = make_folder({"a": 17, "b": 5})
    whole = replace(config(src, tmp_path / "whole/ae.safetensors"), precision=precision)
    train_ae.run(whole)
    broken = replace(whole, out=tmp_path / "broken/ae.safetensors", resume=True)
    with pytest.raises(Interrupted):
        train_ae.run(broken, on_event=kill_after(epochs_before))
    # The signal came after an epoch's end and was obeyed after the next step: mid-epoch.
    assert not broken.out.exists()
    state = tmp_path / "broken/ae.state.safetensors"
    assert state.exists()
    report = train_ae.run(broken)
    assert report.epochs == 3
    assert broken.out.read_bytes() == whole.out.read_bytes()
    assert (tmp_path / "broken/ae.png").read_bytes() == (tmp_path / "whole/ae.png").read_bytes()
    assert not state.exists()


def test_a_signal_after_the_last_step_leaves_a_run_that_can_be_resumed(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(3))
    with monkeypatch.context() as patched:
        patched.setattr(train_ae, "_write_sheet", lambda *_, **__: os.kill(os.getpid(), 2))
        with pytest.raises(Interrupted):
            train_ae.run(config(src, out, resume=True))
    assert not out.exists()
    assert train_ae.run(config(src, out, resume=True)).epochs == 3


def test_a_complete_run_resumes_to_nothing(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 10, "b": 5})
    first = train_ae.run(config(src, tmp_path / "ae.safetensors"))
    started: list[Event] = []
    again = train_ae.run(
        config(src, tmp_path / "ae.safetensors", resume=True), on_event=started.append
    )
    assert again == first
    assert not any(isinstance(e, Started) and e.task == "training" for e in started)


def test_more_epochs_for_a_complete_run_are_refused_with_a_way_to_get_them(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    train_ae.run(config(src, out, epochs=1))
    with pytest.raises(UserError, match="complete, with epochs 1, not 2") as caught:
        train_ae.run(config(src, out, epochs=2, resume=True))
    assert "start again with force" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "named"),
    [({"lr": 1e-3}, "lr 0.0002, not 0.001"), ({"penalty": "none"}, "penalty aligned, not none")],
)
def test_a_run_is_not_resumed_with_other_options(
    make_folder: MakeFolder, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    with pytest.raises(UserError, match=named) as caught:
        train_ae.run(config(src, out, resume=True, **change))
    ways = ("resume with the same options", "start again with force", "another name with out")
    assert all(way in caught.value.fix for way in ways)


def test_a_run_from_before_there_was_an_option_goes_on(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 10, "b": 5}, size=(16, 16)), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    state = tmp_path / "ae.state.safetensors"
    tensors, meta = load_checkpoint(state, "state of a run")
    del meta["made_by"]["config"]["decoder"]
    save_checkpoint(state, Checkpoint(tensors, meta))
    with pytest.raises(UserError, match="decoder mirrored, not script"):
        train_ae.run(config(src, out, resume=True, decoder="script"))
    assert train_ae.run(config(src, out, resume=True)).epochs == 3


def test_a_run_is_not_resumed_on_other_images(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    (src / "a/000.png").unlink()
    with pytest.raises(UserError, match="other images"):
        train_ae.run(config(src, out, resume=True))


def test_an_interrupted_run_is_not_thrown_away_unasked(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    with pytest.raises(UserError, match="resume it with resume"):
        train_ae.run(config(src, out))
    assert train_ae.run(config(src, out, force=True)).epochs == 3


@pytest.mark.parametrize("name", ["ae.safetensors", "ae.png", "ae.jsonl"])
def test_existing_files_are_kept(make_folder: MakeFolder, tmp_path: Path, name: str) -> None:
    """What no run has left, `force` would not replace either: it is no advice."""
    src = make_folder({"a": 10})
    (tmp_path / name).write_text("precious")
    with pytest.raises(UserError, match=f"{name} exists and is of no run .*\n  fix: .* remove it"):
        train_ae.run(config(src, tmp_path / "ae.safetensors"))
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("name", ["ae.safetensors", "ae.png", "ae.jsonl", "ae.state.safetensors"])
def test_force_keeps_files_that_are_not_ours(
    make_folder: MakeFolder, tmp_path: Path, name: str
) -> None:
    src = make_folder({"a": 10})
    (tmp_path / name).write_text("precious")
    for options in ({"force": True}, {"resume": True}):
        with pytest.raises(UserError, match=f"{name} exists and is of no run .*\n  fix: .* remove"):
            train_ae.run(config(src, tmp_path / "ae.safetensors", **options))
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("name", ["ae.png", "ae.jsonl", "ae.safetensors"])
def test_force_replaces_only_what_this_command_has_left(
    make_folder: MakeFolder, tmp_path: Path, name: str
) -> None:
    src, out = make_folder({"a": 10}), tmp_path / "ae.safetensors"
    train_ae.run(config(src, out, epochs=1))
    train_ae.run(config(src, out, epochs=1, force=True))
    if name == out.name:
        meta = {"kind": "aos-train", "made_by": {"command": "aos-train"}}
        save_checkpoint(out, Checkpoint({}, meta))
    else:
        (tmp_path / name).write_text('{"precious": 1}')
    before = contents(tmp_path)
    with pytest.raises(UserError, match=name):
        train_ae.run(config(src, out, epochs=1, force=True))
    assert contents(tmp_path) == before


def test_force_keeps_the_state_until_there_is_another(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 10, "b": 5}), tmp_path / "ae.safetensors"
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    with pytest.raises(UserError, match="no such folder"):
        train_ae.run(config(tmp_path / "typo", out, force=True))
    assert train_ae.run(config(src, out, resume=True)).epochs == 3


def test_the_checkpoint_stays_out_of_the_images(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 10})
    with pytest.raises(UserError, match=r" lies in | holds "):
        train_ae.run(config(src, src / "a/ae.safetensors"))


def test_training_stops_on_the_plateau(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 10})
    # A step this small changes nothing by a thousandth.
    stuck = config(src, tmp_path / "ae.safetensors", lr=1e-12, patience=2, epochs=50)
    report = train_ae.run(stuck)
    assert report.stopped == "plateau"
    assert report.epochs < 50


def test_a_loss_that_is_not_finite_stops_the_run(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, out = make_folder({"a": 10}), tmp_path / "ae.safetensors"
    with pytest.raises(UserError, match="no longer finite in epoch 1"):
        train_ae.run(config(src, out, penalty_weight=1e300))
    assert not out.exists()


def test_the_order_of_images_does_not_depend_on_the_penalty(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 10, "b": 5})
    images = read_labelled(src, AS_THEY_ARE, on_event=silent)
    orders = []
    for penalty in ("aligned", "none"):
        training = autoencoder_trainer(
            config(src, Path("ae.safetensors"), penalty=penalty),
            images,
            torch.device("cpu"),
            "fp32",
        )
        orders.append([batch.tolist() for batch, _ in training.batches()])
    assert orders[0] == orders[1]


def test_images_out_of_range_are_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="7x9"):
        train_ae.run(config(make_folder({"a": 3}, size=(7, 9)), tmp_path / "ae.safetensors"))
    for number, size in enumerate([(14, 16), (16, 17)]):
        src = make_folder({"a": 3}, name=f"odd-{number}", size=size)
        with pytest.raises(UserError, match="even sizes of 16 to 64"):
            train_ae.run(config(src, tmp_path / "ae.safetensors", decoder="script"))
    with pytest.raises(UserError, match="even sizes of 16 to 64"):
        train_ae.run(
            config(src, tmp_path / "ae.safetensors", decoder="script", image_size=(66, 16))
        )
    with pytest.raises(UserError, match="a single image"):
        train_ae.run(config(make_folder({"a": 1}, name="one"), tmp_path / "ae.safetensors"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "odd-0",
        "odd-1",
        "one",
        "src",
    ]


def interrupted(src: Path, out: Path) -> Path:
    """The state of a run that was stopped after an epoch."""
    with pytest.raises(Interrupted):
        train_ae.run(config(src, out), on_event=kill_after(1))
    return out.with_suffix(".state.safetensors")


def test_the_state_of_another_command_is_left_alone(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"a": 6, "b": 3}), tmp_path / "one.safetensors"
    before = interrupted(src, out).read_bytes()
    training = AosTrainConfig(src=src, out=out, resume=True, device="cpu", epochs=1)
    with pytest.raises(UserError, match="is of a run of 'train-ae'") as caught:
        aos_train.run(training)
    assert "force" not in caught.value.fix  # which would destroy it
    assert out.with_suffix(".state.safetensors").read_bytes() == before


def test_a_run_resumed_with_other_versions_says_so(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, out = make_folder({"a": 6, "b": 3}), tmp_path / "ae.safetensors"
    path = interrupted(src, out)
    state = load_checkpoint(path, "state of a run")
    state.meta["made_by"]["versions"]["torch"] = "1.0"
    state.meta["made_by"]["threads"] = 99
    save_checkpoint(path, state)
    heard: list[Event] = []
    train_ae.run(config(src, out, resume=True), on_event=heard.append)
    notes = [event.text for event in heard if isinstance(event, Note)]
    threads = torch.get_num_threads()
    changed = f"threads 99, now {threads}; torch 1.0, now {version('torch')}"
    assert f"the run was begun with {changed}: results may differ" in notes
