"""Where arithmetic breaks down: finite results, or a stop that says where."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine.aos_train import AosTrain
from imbsynth.engine.events import EpochDone, Event
from imbsynth.engine.train_ae import TrainAe
from imbsynth.engine.training.autoencoder import AutoencoderTask
from imbsynth.engine.training.classifier import ClassifierTask
from imbsynth.engine.training.trainer import Trainer
from imbsynth.errors import UserError
from tests.conftest import draw_image
from tests.torture.bench import invoke
from tests.torture.corpus import plain_folder

TINY = ["--epochs", 2, "--batch-size", 4, "--device", "cpu"]


def assert_sane(out: str, checkpoint: Path) -> None:
    """Every number that is printed, logged or saved is one."""

    def refuse(text: str) -> float:
        raise AssertionError(text)

    json.loads(out, parse_constant=refuse)
    for line in checkpoint.with_suffix(".jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)
    assert all(value.isfinite().all() for value in load_file(checkpoint).values())


@pytest.fixture(params=["black", "white", "one image many times", "one class of one image"])
def flat(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with nothing, or next to nothing, to learn from."""
    src = plain_folder(tmp_path / "src")
    for path in sorted(src.rglob("*.png")):
        if request.param in ("black", "white"):
            Image.new("L", (8, 8), {"black": 0, "white": 255}[request.param]).save(path)
        elif request.param == "one image many times" or path.parent.name == "odd":
            draw_image(7, 8, 8, "L").save(path)
    return src


def test_images_without_content_give_numbers(flat: Path, tmp_path: Path) -> None:
    ae, clf = tmp_path / "ae.safetensors", tmp_path / "clf.safetensors"
    small = ["--latent-dim", 2, "--json"]
    outcome = invoke("train-ae", flat, "--out", ae, *TINY, *small)
    assert outcome.code == 0, outcome.err
    assert_sane(outcome.out, ae)
    # Images that are all the same cannot be held out.
    same = ["--val", shutil.copytree(flat, tmp_path / "val"), "--allow-overlap"]
    outcome = invoke("aos-train", flat, "--out", clf, *TINY, *same, "--json")
    assert outcome.code == 0, outcome.err
    assert_sane(outcome.out, clf)
    outcome = invoke("evaluate", clf, flat, "--allow-overlap", "--draws", 100, "--json")
    assert outcome.code == 0, outcome.err
    assert "NaN" not in outcome.out
    assert "Infinity" not in outcome.out
    for way in (["--ae", ae], ["--method", "smote"], ["--method", "ros"]):
        out = tmp_path / "-".join(map(str, way[:1])) / str(way[1]).replace("/", "_")
        assert invoke("generate", flat, out, "--to", 9, *way).code == 0
    with Image.open(next(out.glob("odd/synthetic-000001.png"))) as copy:
        assert copy.size == (8, 8)


def test_identical_images_give_their_like(tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src")
    for path in sorted((src / "odd").iterdir()):
        draw_image(7, 8, 8, "L").save(path)
    assert invoke("generate", src, tmp_path / "out", "--to", 9).code == 0
    for path in (tmp_path / "out/odd").glob("synthetic-*"):
        with Image.open(path) as made:
            assert made.tobytes() == draw_image(7, 8, 8, "L").tobytes()


@pytest.mark.parametrize("name", ["train-ae", "aos-train"])
def test_a_learning_rate_that_diverges_gives_numbers_or_says_so(tmp_path: Path, name: str) -> None:
    src, out = plain_folder(tmp_path / "src"), tmp_path / "x.safetensors"
    outcome = invoke(name, src, "--out", out, *TINY, "--lr", 0.99, "--json")
    if outcome.code == 0:
        assert_sane(outcome.out, out)
    else:
        assert "no longer finite in epoch" in outcome.err
        assert "lower --lr" in outcome.err
        assert not out.exists()


def test_outputs_that_overflow_on_validation_images_end_the_training(tmp_path: Path) -> None:
    """One step of a deep network: its weights are finite, and running means lag behind them."""
    src, out = plain_folder(tmp_path / "src"), tmp_path / "x.safetensors"
    options = ["--model", "resnet32", "--lr", 0.99, "--batch-size", 1000, "--oversample", "none"]
    outcome = invoke("aos-train", src, "--out", out, *options, "--epochs", 2)
    assert outcome.code == 2
    assert "the outputs for the validation images are no longer finite in epoch 1" in outcome.err
    assert "lower --lr" in outcome.err
    assert not out.exists()


def run_until_it_breaks(name: str, src: Path, out: Path, **more: Any) -> None:
    """A training whose weights stop being finite after its second epoch."""
    started: list[Trainer[Any]] = []

    class BreakableAe(TrainAe):
        def trainer(self, *arguments: Any) -> Trainer[AutoencoderTask]:
            started.append(super().trainer(*arguments))
            return started[-1]

    class BreakableAos(AosTrain):
        def trainer(self, *arguments: Any) -> Trainer[ClassifierTask]:
            started.append(super().trainer(*arguments))
            return started[-1]

    def break_it(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 2:
            weights = next(started[-1].task.model.parameters())
            weights.data.view(-1)[0] = math.inf

    common: dict[str, Any] = {"src": src, "out": out, "device": "cpu", "batch_size": 4, **more}
    if name == "train-ae":
        BreakableAe(TrainAeConfig(**common, latent_dim=2)).carry_out(break_it, str)
    else:
        BreakableAos(AosTrainConfig(**common, schedule="constant")).carry_out(break_it, str)


@pytest.mark.parametrize("name", ["train-ae", "aos-train"])
def test_a_loss_that_is_not_finite_keeps_the_last_good_epoch(tmp_path: Path, name: str) -> None:
    src, out = plain_folder(tmp_path / "src"), tmp_path / "x.safetensors"
    with pytest.raises(UserError, match="no longer finite in epoch 3; the state after epoch 2"):
        run_until_it_breaks(name, src, out, epochs=4)
    assert not out.exists()
    state = load_file(tmp_path / "x.state.safetensors")
    assert all(value.isfinite().all() for value in state.values())
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 2
    more = ["--latent-dim", 2] if name == "train-ae" else ["--schedule", "constant"]
    outcome = invoke(name, src, "--out", out, *TINY, *more, "--resume", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["epochs"] == 2
    assert_sane(outcome.out, out)
