from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imbsynth.configs import GenerateConfig, TrainGeneratorConfig
from imbsynth.core.non_leaky import described
from imbsynth.engine import generate, train_generator
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.inference import generator
from imbsynth.engine.inference.generator import load_generator
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.flow import NO_CLASS, FlowTask
from imbsynth.engine.training.novelty import HeldOut
from imbsynth.engine.training.states import Place
from imbsynth.errors import UserError
from imbsynth.store.checkpoints import load_checkpoint
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import MakeFolder, contents


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are generated 64 at once: a batch is filled up, and these folders are small."""
    monkeypatch.setattr(generator, "MOST_AT_ONCE", 64)


def config(src: Path, out: Path, **options: Any) -> TrainGeneratorConfig:
    small: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    return TrainGeneratorConfig(src=src, out=out, kind="flow", **small | options)


def task_on(src: Path, **options: Any) -> FlowTask:
    images = read_labelled(src, AS_THEY_ARE, on_event=silent)
    wanted = config(src, Path("gen.safetensors"), **options)
    return FlowTask(wanted, images, torch.device("cpu"), "fp32")


def lines_of(out: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]


@pytest.fixture
def enough(make_folder: MakeFolder) -> Path:
    """A folder of which one image of each of two classes is held out."""
    return make_folder({"a": 19, "b": 10, "few": 9})


def test_a_tenth_of_each_class_that_has_enough_is_held_out(enough: Path, tmp_path: Path) -> None:
    task = task_on(enough)
    held, trained_on = task.held_out(), task.trained_on
    assert task.labels[held].tolist() == [0, 1]
    assert sorted([*held, *trained_on]) == list(range(38))
    assert task.images == 36
    drawn = np.concatenate([b.chosen for b in task.batches(Place(0, 0, 1, task.steps))])
    assert set(drawn.tolist()) <= set(trained_on.tolist())
    out = tmp_path / "gen.safetensors"
    train_generator.run(config(enough, out))
    meta = load_checkpoint(out, "train-generator").meta
    assert [Path(path).parent.name for path in meta["held_out"]] == ["a", "b"]
    assert dict(meta["counts"]) == {"a": 19, "b": 10, "few": 9}
    # Held-out images choose when a run ends, so they are no test images either.
    images = read_labelled(enough, AS_THEY_ARE, on_event=silent)
    assert load_generator(out).trained_on == images.identities()


def test_no_copy_of_what_is_held_out_is_trained_on(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 12, "b": 12})
    for path in sorted((src / "a").iterdir()):
        (src / "a" / f"copy-{path.name}").write_bytes(path.read_bytes())
    images = read_labelled(src, AS_THEY_ARE, on_event=silent)
    held = HeldOut(images, images.on(torch.device("cpu")), 0)
    digests = np.array(list(images.pixel_digests))
    assert len(held.held_out) == 2
    assert not set(digests[held.held_out]) & set(digests[held.trained_on])
    assert len(held.trained_on) == 36 - 3


def test_novelty_is_1_for_what_is_held_out_and_0_for_what_is_trained_on(
    make_folder: MakeFolder,
) -> None:
    images = read_labelled(make_folder({"a": 30, "few": 9}), AS_THEY_ARE, on_event=silent)
    pixels = images.on(torch.device("cpu"))
    held = HeldOut(images, pixels, 0)
    assert held.novelty(0, pixels[held.held_out]) == 1
    assert held.novelty(0, pixels[held.members[0]]) == 0
    assert held.novelty(1, pixels[:3]) is None


def test_classes_are_drawn_by_the_root_of_their_size_and_some_are_not_told(
    make_folder: MakeFolder,
) -> None:
    task = task_on(make_folder({"a": 64, "b": 4}), batch_size=64)
    drawn = [b for epoch in range(80) for b in task.batches(Place(epoch, 0, 80, task.steps))]
    labels = task.labels[np.concatenate([batch.chosen for batch in drawn])]
    told = np.concatenate([batch.labels for batch in drawn])
    trained_on = np.bincount(task.labels[task.trained_on]) ** 0.5
    # 9,000 draws: about a hundredth of deviation.
    assert (labels == 0).mean() == pytest.approx(trained_on[0] / trained_on.sum(), abs=0.03)
    assert (told == task.model.none).mean() == pytest.approx(NO_CLASS, abs=0.02)
    assert set(told[told != labels].tolist()) == {task.model.none}
    assert not any(described(batch.changes)[:, 4].any() for batch in drawn)  # none are mirrored


def test_the_rest_of_an_epoch_is_the_same_after_an_interruption(enough: Path) -> None:
    task = task_on(enough, flip=True)
    whole = list(task.batches(Place(3, 0, 5, task.steps)))
    rest = list(task.batches(Place(3, 2, 5, task.steps)))
    assert len(rest) == len(whole) - 2
    for one, other in zip(whole[2:], rest, strict=True):
        assert all(np.array_equal(one[k], other[k]) for k in (0, 1, 3, 4))
        assert np.array_equal(described(one.changes), described(other.changes))


def test_novelty_is_logged_where_images_are_looked_at(enough: Path, tmp_path: Path) -> None:
    out = tmp_path / "gen.safetensors"
    report = train_generator.run(config(enough, out, epochs=3, sheet_every=2))
    assert ["novelty" in line for line in lines_of(out)] == [False, True, False]
    assert [name for name, value in report.novelty.items() if value is not None] == ["a", "b"]


def test_a_run_ends_when_images_are_nearer_than_new_ones_twice(
    enough: Path, tmp_path: Path
) -> None:
    heard: list[Event] = []
    wanted = config(enough, tmp_path / "gen.safetensors", epochs=3, sheet_every=1)
    soon = train_generator.run(replace(wanted, min_novelty=99.0), on_event=heard.append)
    assert soon.epochs == 2
    (note,) = [e.text for e in heard if isinstance(e, Note) and "ended after" in e.text]
    assert note.startswith("ended after 2 epochs: novelty was below --min-novelty twice")
    never = replace(wanted, min_novelty=0.0, out=tmp_path / "never.safetensors")
    assert train_generator.run(never).epochs == 3


def test_the_average_of_the_weights_is_what_is_kept(enough: Path) -> None:
    task = task_on(enough)
    optimisation = task.optimisation()
    for step, batch in enumerate(task.batches(Place(0, 0, 1, task.steps))):
        place = Place(0, step, 1, task.steps)
        optimisation.step(task.compute(batch, place)[0], place.progress)
        task.end_step(place)
    last = {name: value.clone() for name, value in task.model.state_dict().items()}
    average = {name: value.clone() for name, value in task.average.average.items()}
    with task.shown():
        shown = task.model.state_dict()
        assert all(torch.equal(shown[name], value) for name, value in average.items())
    assert all(torch.equal(task.model.state_dict()[n], value) for n, value in last.items())
    task.conclude()
    kept = task.model.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in average.items())
    assert any(not torch.equal(last[name], value) for name, value in average.items())


@pytest.fixture
def trained(enough: Path, tmp_path: Path) -> Path:
    out = tmp_path / "gen.safetensors"
    train_generator.run(config(enough, out, epochs=3))
    return out


def made_with(trained: Path, src: Path, dst: Path, **options: Any) -> dict[str, bytes]:
    generate.run(GenerateConfig(src=src, dst=dst, generator=trained, device="cpu", **options))
    return {path: data for path, data in contents(dst).items() if "/synthetic-" in path}


def test_images_of_a_class_differ_and_guidance_of_1_is_none(
    trained: Path, enough: Path, tmp_path: Path
) -> None:
    plain = made_with(trained, enough, tmp_path / "plain")
    assert len(set(plain.values())) == len(plain) == 9 + 10
    assert made_with(trained, enough, tmp_path / "one", guidance=1.0) == plain
    more = made_with(trained, enough, tmp_path / "more", guidance=3.0)
    fewer = made_with(trained, enough, tmp_path / "steps", sampling_steps=3)
    assert plain.keys() == more.keys() == fewer.keys()
    assert plain != more
    assert plain != fewer


def test_an_option_that_the_generator_does_not_have_is_refused(
    enough: Path, tmp_path: Path
) -> None:
    out = tmp_path / "gamo.safetensors"
    train_generator.run(TrainGeneratorConfig(src=enough, out=out, kind="gamo", epochs=1))
    with pytest.raises(UserError, match=r"guidance: .* is of the kind gamo"):
        made_with(out, enough, tmp_path / "dst", guidance=2.0)
    with pytest.raises(UserError, match="sampling_steps is for a generator"):
        GenerateConfig(src=enough, dst=tmp_path / "dst", sampling_steps=4)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("flow", {"latent_dim": 5}), ("bagan", {"flip": True}), ("gamo", {"network": "large"})],
)
def test_an_option_of_another_kind_is_refused(kind: str, options: dict[str, Any]) -> None:
    paths: dict[str, Any] = {"src": Path("src"), "out": Path("gen.safetensors")}
    with pytest.raises(UserError, match=f"{next(iter(options))} is for kind .*, not for {kind}"):
        TrainGeneratorConfig(**paths, kind=kind, **options)


def test_an_edited_novelty_is_refused(enough: Path) -> None:
    task = task_on(enough)
    assert task.problem_of([{"novelty": 1.5}, {}]) is None
    assert task.problem_of([{"novelty": "much"}]) == "its novelty is not a number"
