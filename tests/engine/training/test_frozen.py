"""Pretrained backbones in training: frozen ones, and ones that are fine-tuned."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import torch

from imbsynth.command_lines import command_line
from imbsynth.configs import AosTrainConfig, EvaluateConfig
from imbsynth.engine import aos_train, evaluate
from imbsynth.engine.events import Advanced, Event, Started
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.engine.training import features
from imbsynth.engine.training.classifier_run import classifier_step
from imbsynth.engine.training.head import AS_TRAINED
from imbsynth.engine.training.memory import needed
from imbsynth.errors import Interrupted, UserError
from imbsynth.models.classifiers import ImageShape
from imbsynth.store.checkpoints import load_checkpoint
from tests.conftest import MakeFolder
from tests.engine.inference.test_pretrained import MODEL, network, saved
from tests.engine.training.test_resume import stop

COUNTS = {"a": 12, "b": 5, "c": 5}
FIRST = "conv1.0.weight"
BODY = f"model.network.{FIRST}"
HEAD = "model.network.fc.weight"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file of random weights, which only its name makes acceptable."""
    return saved(tmp_path / "weights/w.pth", network())


def config(src: Path, weights: Path, **options: Any) -> AosTrainConfig:
    small: dict[str, Any] = {
        "model": MODEL, "image_size": (32, 32), "epochs": 3, "batch_size": 8,
        "device": "cpu", "precision": "fp32", "views": 2,
    }  # fmt: skip
    out = src.parent / "clf.safetensors"
    return AosTrainConfig(**{"src": src, "out": out, "pretrained": weights, **small, **options})


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path, "aos-train").tensors


@pytest.mark.parametrize(
    ("oversample", "augment"),
    [("ros", "none"), ("rus", "affine"), ("smote", "trivial"), ("none", "flip-crop")],
)
def test_a_frozen_backbone_stays_as_it_is_and_its_head_learns(
    make_folder: MakeFolder, weights: Path, oversample: str, augment: str
) -> None:
    given = config(
        make_folder(COUNTS, size=(32, 32)), weights,
        freeze=True, oversample=oversample, augment=augment, ema=0.5, label_smoothing=0.1,
    )  # fmt: skip
    report = aos_train.run(given)
    found, state = tensors_of(given.out), network()
    for name, value in state.items():
        if not name.startswith("fc."):
            assert torch.equal(found[f"model.network.{name}"], value), name
    assert found[HEAD].shape == (3, 1024)
    log = [json.loads(line) for line in Path(report.log).read_text().splitlines()]
    assert log[0]["loss"] > log[-1]["loss"]


def test_features_are_computed_once_for_each_image_and_view(
    make_folder: MakeFolder, weights: Path
) -> None:
    told: list[Event] = []
    aos_train.run(
        config(make_folder(COUNTS, size=(32, 32)), weights, freeze=True, views=3),
        on_event=told.append,
    )
    (started,) = [e for e in told if isinstance(e, Started) and e.task == "computing features"]
    held_out = 2 + 1 + 1
    assert started.total == 3 * (22 - held_out) + held_out


def test_progress_ends_at_its_total_where_not_all_views_fit_into_memory(
    make_folder: MakeFolder, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "VALUES_AT_MOST", 3 * 18 * 1024)
    told: list[Event] = []
    given = config(make_folder(COUNTS, size=(32, 32)), weights, freeze=True, views=9)
    aos_train.run(given, on_event=told.append)
    begun = next(i for i, e in enumerate(told) if getattr(e, "task", "") == "computing features")
    started, (*_, last) = told[begun], [*takewhile(_is_advance, told[begun + 1 :])]
    assert isinstance(started, Started)
    assert isinstance(last, Advanced)
    assert last.done == started.total == 3 * 18 + 4


def _is_advance(event: Event) -> bool:
    return isinstance(event, Advanced)


def test_a_frozen_head_judges_as_the_whole_network_does(
    make_folder: MakeFolder, weights: Path
) -> None:
    src = make_folder(COUNTS, size=(32, 32))
    val = make_folder({name: 4 for name in COUNTS}, name="val", size=(32, 32), first=100)
    given = config(src, weights, freeze=True, val=val)
    report = aos_train.run(given)
    scores = evaluate.run(
        EvaluateConfig(checkpoint=given.out, src=val, allow_overlap=True, device="cpu")
    )
    assert scores.acsa == pytest.approx(report.val["acsa"])
    assert scores.pretrained == load_classifier(given.out).pretrained
    assert scores.pretrained is not None


@pytest.mark.parametrize(
    "options",
    [
        {"freeze": True, "augment": "trivial"},
        {"freeze": True, "head_epochs": 2, "head_synthesis": "smote"},
        {"backbone_lr": 0.5, "weight_decay": 0.01},
    ],
    ids=["frozen", "frozen, head", "fine-tuned"],
)
def test_a_run_from_pretrained_weights_is_resumed_exactly(
    make_folder: MakeFolder, weights: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    whole = config(make_folder(COUNTS, size=(32, 32)), weights, epochs=2, **options)
    aos_train.run(whole)
    moved = saved(tmp_path / "elsewhere/w.pth", network())
    broken = replace(whole, out=tmp_path / "broken/clf.safetensors", resume=True)
    with pytest.raises(Interrupted):
        aos_train.run(broken, on_event=stop)
    moved.write_bytes(weights.read_bytes())
    other = saved(tmp_path / "other.pth", network(seed=6))
    with pytest.raises(UserError, match="other images"):
        aos_train.run(replace(broken, pretrained=other))
    aos_train.run(replace(broken, pretrained=moved))
    resumed, expected = tensors_of(broken.out), tensors_of(whole.out)
    assert all(torch.equal(resumed[name], value) for name, value in expected.items())


def test_the_head_of_a_frozen_backbone_may_be_chosen_among_several(
    make_folder: MakeFolder, weights: Path
) -> None:
    given = config(
        make_folder(COUNTS, size=(32, 32)), weights,
        freeze=True, head_epochs=2, head_synthesis="calibrated",
    )  # fmt: skip
    aos_train.run(given)
    tried = load_checkpoint(given.out, "aos-train").meta["chosen_head"]["scores"]
    assert set(tried) == {AS_TRAINED, "trained again with calibrated features"}
    assert torch.equal(tensors_of(given.out)[BODY], network()[FIRST])


def test_fine_tuning_moves_the_backbone_by_its_share_of_the_rate(
    make_folder: MakeFolder, weights: Path
) -> None:
    """One step of SGD: its size is the learning rate times a gradient that is the same."""
    src = make_folder(COUNTS, size=(32, 32))
    moved = {}
    for share in (0.5, 0.25):
        given = config(
            src, weights, backbone_lr=share, optimizer="sgd", momentum=0.0, lr=0.1, epochs=1,
            oversample="none", batch_size=64, schedule="constant", force=True, augment="none",
        )  # fmt: skip
        aos_train.run(given)
        found = tensors_of(given.out)
        moved[share] = found[BODY] - network()[FIRST], found[HEAD]
    torch.testing.assert_close(moved[0.5][0], 2 * moved[0.25][0], rtol=1e-3, atol=1e-6)
    assert float(moved[0.5][0].abs().max()) > 0
    assert torch.equal(moved[0.5][1], moved[0.25][1])


def test_images_get_the_size_of_the_weights_and_gray_ones_stay_gray(
    make_folder: MakeFolder, weights: Path
) -> None:
    given = config(
        make_folder({"a": 3, "b": 3}, size=(20, 12)), weights, image_size=None, freeze=True, views=1
    )
    aos_train.run(given)
    model = load_classifier(given.out).model
    assert model.shape == ImageShape(1, 224, 224)
    assert model.mean.shape == (3, 1, 1)


def test_weights_that_do_not_fit_are_refused_before_images_are_read(
    make_folder: MakeFolder, weights: Path
) -> None:
    told: list[Event] = []
    other = config(make_folder(COUNTS), weights, model="shufflenet_v2_x1_0")
    with pytest.raises(UserError, match="not the weights of model shufflenet_v2_x1_0"):
        aos_train.run(other, on_event=told.append)
    assert not any(isinstance(event, Started) for event in told)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"pretrained": None}, "they are random"),
        ({"oversample": "aos"}, "oversample aos changes what the backbone computes"),
        ({"mix": "cutmix"}, "mix cutmix changes what the backbone computes"),
        ({"split_norm": True}, "split_norm changes what the backbone computes"),
    ],
)
def test_what_a_frozen_backbone_cannot_show_is_refused(
    options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        config(Path("src"), Path("w.pth"), freeze=True, **options)


def test_freezing_balances_by_copies_and_says_so_in_no_command() -> None:
    frozen = config(Path("src"), Path("w.pth"), freeze=True)
    assert (frozen.oversample, frozen.mix) == ("ros", "none")
    assert "oversample" not in command_line(frozen)
    strong = config(Path("src"), Path("w.pth"), freeze=True, recipe="strong")
    assert (strong.oversample, strong.loss, strong.mix) == ("none", "balanced-softmax", "none")


def test_a_frozen_backbone_needs_less_memory(weights: Path) -> None:
    frozen = config(Path("src"), weights, freeze=True)
    tuned = replace(frozen, freeze=False)
    shape = ImageShape(3, 224, 224)
    (_, less), (_, more) = (needed(classifier_step(c, shape, 3)) for c in (frozen, tuned))
    assert less < more / 3
