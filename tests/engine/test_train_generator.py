from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from imbsynth.configs import (
    AosTrainConfig,
    EvaluateConfig,
    GenerateConfig,
    TrainGeneratorConfig,
)
from imbsynth.engine import aos_train, evaluate, generate, train_generator
from imbsynth.engine.events import Advanced, EpochDone, Event, Note, Started
from imbsynth.engine.inference import generator
from imbsynth.engine.inference.generator import load_generator
from imbsynth.engine.training import loop
from imbsynth.errors import Interrupted, UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.folders import digest_of
from tests.conftest import MakeFolder, contents

KINDS = ("bagan", "gamo", "flow")
SHAPE = {"channels": 1, "height": 8, "width": 8, "latent_dim": 6, "network": "small"}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are generated 64 at once: a batch is filled up, and these folders are small."""
    monkeypatch.setattr(generator, "MOST_AT_ONCE", 64)


def config(src: Path, out: Path, kind: str, **options: Any) -> TrainGeneratorConfig:
    small: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    if kind != "flow":
        small |= {"pretrain_epochs": 2, "latent_dim": 6}
    return TrainGeneratorConfig(src=src, out=out, kind=kind, **small | options)


@pytest.fixture(params=KINDS)
def trained(request: pytest.FixtureRequest, rare: Path, tmp_path: Path) -> Path:
    out = tmp_path / "gen.safetensors"
    train_generator.run(config(rare, out, request.param))
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "mode"), [((28, 28), "L"), ((13, 21), "RGB")])
def test_a_run_writes_checkpoint_log_and_sheet(
    make_folder: MakeFolder, tmp_path: Path, kind: str, size: tuple[int, int], mode: str
) -> None:
    src = make_folder({"a": 9, "b": 4}, size=size, mode=mode)
    report = train_generator.run(config(src, tmp_path / "gen.safetensors", kind))
    stored = load_generator(tmp_path / "gen.safetensors")
    assert stored.shape[:3] == ({"L": 1, "RGB": 3}[mode], *size)
    assert (stored.kind, stored.classes, stored.shape.counts) == (kind, ["a", "b"], (9, 4))
    lines = [json.loads(line) for line in (tmp_path / "gen.jsonl").read_text().splitlines()]
    without = {("gamo", "L"), ("flow", "L"), ("flow", "RGB")}  # an autoencoder, which goes first
    assert len(lines) == report.epochs == (2 if (kind, mode) in without else 4)
    assert {name: lines[-1][name] for name in report.losses} == report.losses
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gen.jsonl", "gen.png", "gen.safetensors", "src",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_resumed_exactly(
    make_folder: MakeFolder, tmp_path: Path, kind: str, mode: str
) -> None:
    """After the first step of the run, and after each epoch: between the stages, within each."""
    src = make_folder({"a": 9, "b": 4}, mode=mode)
    whole = config(src, tmp_path / "whole.safetensors", kind)
    train_generator.run(whole)
    for after in range(4):

        def stop(event: Event, after: int = after) -> None:
            begun = after == 0 and isinstance(event, Started) and event.unit == "steps"
            if begun or (isinstance(event, EpochDone) and event.epoch == after):
                os.kill(os.getpid(), signal.SIGTERM)

        broken = replace(whole, out=tmp_path / f"{after}.safetensors", resume=True)
        try:
            train_generator.run(broken, on_event=stop)
        except Interrupted:
            train_generator.run(broken)
        assert broken.out.read_bytes() == whole.out.read_bytes()


def test_sheets_are_drawn_on_the_way_and_do_not_change_the_run(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, drawn = make_folder({"a": 9, "b": 4}), []
    often = config(src, tmp_path / "often.safetensors", "bagan", sheet_every=1, epochs=3)

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone):
            drawn.append((tmp_path / "often.png").exists())

    train_generator.run(often, on_event=listen)
    assert drawn == [False, False, True, True, True]  # the first stage has nothing to show
    seldom = replace(often, out=tmp_path / "seldom.safetensors", sheet_every=100)
    train_generator.run(seldom)
    ends = [load_checkpoint(c.out, "train-generator").tensors for c in (often, seldom)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert (tmp_path / "often.png").read_bytes() == (tmp_path / "seldom.png").read_bytes()


def test_the_autoencoder_learns_before_the_networks_compete(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SHOW_EVERY", 0.0)
    shown: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Advanced) and event.detail.startswith("epoch "):
            shown.append(" ".join(event.detail.split()[2::2]))

    src = make_folder({"a": 12, "b": 8})
    wanted = config(src, tmp_path / "gen.safetensors", "bagan", pretrain_epochs=30)
    train_generator.run(wanted, on_event=listen)
    assert (shown[0], shown[-1]) == ("recon discriminator", "discriminator generator")
    lines = [json.loads(line) for line in (tmp_path / "gen.jsonl").read_text().splitlines()]
    assert lines[29]["recon_loss"] < lines[0]["recon_loss"] / 2
    assert lines[30]["recon_loss"] == 0
    assert lines[29]["generator_loss"] == 0 < lines[30]["generator_loss"]


def test_a_generator_that_has_hardly_learned_has_collapsed_and_it_is_said(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    heard: list[Event] = []
    src = make_folder({"a": 12, "b": 8})
    wanted = config(src, tmp_path / "gen.safetensors", "gamo", epochs=1)
    report = train_generator.run(wanted, on_event=heard.append)
    # Weights are nearly equal at the start: every image is nearly the mean of its class.
    assert max(value for value in report.diversity.values() if value is not None) < 0.5
    assert report.collapsed == ["a", "b"]
    (note,) = [event for event in heard if isinstance(event, Note) and "collapsed" in event.text]
    assert "a (0." in note.text
    assert "look at the pictures" in note.text


def test_a_class_of_equal_images_has_no_diversity_to_compare_with(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 6, "single": 1})
    report = train_generator.run(config(src, tmp_path / "gen.safetensors", "bagan"))
    assert report.diversity["single"] is None
    assert "single" not in report.collapsed


def test_what_is_generated_names_its_model_and_no_parents(
    trained: Path, rare: Path, tmp_path: Path
) -> None:
    dst, kind = tmp_path / "dst", load_generator(trained).kind
    report = generate.run(GenerateConfig(src=rare, dst=dst, generator=trained))
    assert report.added == {"common": 0, "few": 7, "pair": 10, "single": 11}
    lines = [json.loads(line) for line in (dst / "manifest.jsonl").read_text().splitlines()]
    for line in lines:
        assert (line["method"], line["parents"], line["weights"]) == (kind, [], [])
        assert line["model"] == digest_of(trained.read_bytes())
        assert "space" not in line
    assert [line["row"] for line in lines if line["class"] == "few"] == list(range(7))
    made = contents(dst)
    assert {path: made[path] for path in contents(rare)} == contents(rare)
    record = json.loads((dst / "run.json").read_text())
    assert record["inputs"]["generator"] == lines[0]["model"]
    assert record["config"]["method"] is None


def test_more_images_of_a_class_begin_with_the_fewer(
    trained: Path, rare: Path, tmp_path: Path
) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    generate.run(GenerateConfig(src=rare, dst=few, generator=trained, to=20))
    generate.run(GenerateConfig(src=rare, dst=many, generator=trained, to=200))
    before, after = contents(few), contents(many)
    names = [path for path in before if "/synthetic-" in path]
    assert len(names) == 80 - 20
    assert all(before[path] == after[path] for path in names)


def test_a_gray_image_of_gamo_is_between_the_images_of_its_class(
    rare: Path, tmp_path: Path
) -> None:
    out, dst = tmp_path / "gen.safetensors", tmp_path / "dst"
    train_generator.run(config(rare, out, "gamo"))
    generate.run(GenerateConfig(src=rare, dst=dst, generator=out))
    pair = np.stack([np.array(Image.open(path)) for path in sorted((rare / "pair").iterdir())])
    for path in sorted((dst / "pair").glob("synthetic-*")):
        made = np.array(Image.open(path))
        assert (pair.min(0) <= made).all()
        assert (made <= pair.max(0)).all()


def test_images_of_the_generator_are_no_test_images(
    trained: Path, rare: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    """The classifier has not seen them, and the generator has: their scores would flatter."""
    src = make_folder({name: 3 for name in ("common", "few", "pair", "single")}, name="b", first=50)
    dst, clf = tmp_path / "dst", tmp_path / "clf.safetensors"
    generate.run(GenerateConfig(src=src, dst=dst, generator=trained, to=5))
    aos_train.run(AosTrainConfig(src=dst, out=clf, epochs=1, oversample="none", device="cpu"))
    with pytest.raises(UserError, match="seen by the autoencoder or generator"):
        evaluate.run(EvaluateConfig(checkpoint=clf, src=rare, device="cpu"))


def test_a_class_that_the_generator_does_not_know_is_named(
    trained: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"common": 4, "new": 2}, name="other")
    with pytest.raises(UserError, match="has not learned class new: it knows common, few"):
        generate.run(GenerateConfig(src=src, dst=tmp_path / "dst", generator=trained))
    assert not (tmp_path / "dst").exists()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"generator": "other"}, "kind is unknown"),
        ({"counts": [["a", 0], ["b", 3]]}, "class without images"),
        ({"counts": "many"}, "counts"),
        (
            {
                "shape": {
                    "channels": 2,
                    "height": 8,
                    "width": 8,
                    "latent_dim": 6,
                    "network": "small",
                }
            },
            "2 channels",
        ),
        ({"shape": {"channels": 1, "height": 8, "width": 8, "latent_dim": 10**9}}, "latent_dim"),
    ],
)
def test_an_edited_header_describes_no_generator(
    rare: Path, tmp_path: Path, edit: dict[str, Any], told: str
) -> None:
    out = tmp_path / "gen.safetensors"
    train_generator.run(config(rare, out, "bagan", pretrain_epochs=1, epochs=1))
    tensors, meta = load_checkpoint(out, "train-generator")
    save_checkpoint(out, Checkpoint(tensors, meta | edit))
    with pytest.raises(UserError, match=told):
        load_generator(out)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ae": Path("ae.safetensors")}, "ae"),
        ({"method": "ros"}, "method"),
        ({"min_probability": 0.3}, "min_probability"),
        ({"image_size": (8, 8)}, "image_size"),
        ({"fit": "crop"}, "fit"),
    ],
)
def test_a_generator_takes_the_place_of_other_options(options: dict[str, Any], named: str) -> None:
    paths = {name: Path(name) for name in ("src", "dst", "generator")}
    with pytest.raises(UserError, match=named):
        GenerateConfig(**{**paths, **options})


def test_a_finished_run_is_reported_again_and_an_edited_one_refused(
    rare: Path, tmp_path: Path
) -> None:
    wanted = config(rare, tmp_path / "gen.safetensors", "bagan", pretrain_epochs=1, epochs=1)
    first = train_generator.run(wanted)
    assert train_generator.run(replace(wanted, resume=True)) == first
    tensors, meta = load_checkpoint(wanted.out, "train-generator")
    save_checkpoint(wanted.out, Checkpoint(tensors, {**meta, "losses": 3}))
    with pytest.raises(UserError, match="losses is 3, not an object"):
        train_generator.run(replace(wanted, resume=True))


def test_beside_colour_a_generator_of_gray_images_gets_no_advice_for_autoencoders(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 6, "b": 4}, name="colour", mode="RGB")
    gray = config(src, tmp_path / "gen.safetensors", "gamo", channels=1)
    train_generator.run(gray)
    wanted = GenerateConfig(src=src, dst=tmp_path / "dst", generator=gray.out)
    with pytest.raises(UserError, match="10 images have colour") as caught:
        generate.run(wanted)
    assert caught.value.fix.startswith("leave them out with synthetic_only")
    assert generate.run(replace(wanted, synthetic_only=True)).added == {"a": 0, "b": 2}


def test_a_single_class_is_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a single class"):
        train_generator.run(config(make_folder({"a": 5}), tmp_path / "gen.safetensors", "bagan"))


def test_events_do_not_become_a_class_of_the_images(rare: Path, tmp_path: Path) -> None:
    before = contents(rare)
    wanted = config(rare, tmp_path / "gen.safetensors", "bagan", tensorboard=rare / "events")
    with pytest.raises(UserError, match="lies in"):
        train_generator.run(wanted)
    assert contents(rare) == before
