from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.engine import aos_train
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.training.features import Features
from imbsynth.engine.training.head import (
    AS_TRAINED,
    RETRAINED,
    TAUS,
    heads_of,
    is_worse,
    retrained,
    tau_normalised,
)
from imbsynth.engine.training.states import weights_now
from imbsynth.errors import Interrupted, UserError
from imbsynth.store.checkpoints import load_checkpoint
from tests.conftest import MakeFolder


def config(src: Path, out: Path, **options: object) -> AosTrainConfig:
    small = {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "fp32", "head_epochs": 3}
    return AosTrainConfig(src=src, out=out, **{**small, **options})  # type: ignore[arg-type]


def stop(event: Event) -> None:
    """A listener that ends the process after the head was trained again."""
    if isinstance(event, Note) and event.text.startswith("head: "):
        raise KeyboardInterrupt


def test_tau_normalised_by_hand() -> None:
    """Rows of lengths 5 and 10; tau 1 makes them equal, at the mean length of 7.5."""
    head = {"weight": torch.tensor([[3.0, 4.0], [0.0, 10.0]]), "bias": torch.ones(2)}
    whole = tau_normalised(head, 1.0)
    torch.testing.assert_close(whole["weight"], torch.tensor([[4.5, 6.0], [0.0, 7.5]]))
    assert whole["bias"].tolist() == [0, 0]
    half = tau_normalised(head, 0.5)["weight"].norm(dim=1)
    assert float(half[1] / half[0]) == pytest.approx(2**0.5)


@pytest.mark.parametrize("loss", ["cross-entropy", "ldam"])
def test_the_best_of_the_heads_is_kept_and_nothing_else_changes(
    make_folder: MakeFolder, tmp_path: Path, loss: str
) -> None:
    src = make_folder({"a": 30, "b": 8, "c": 8})
    with_head = config(src, tmp_path / "with.safetensors", loss=loss, lr=0.01)
    report = aos_train.run(with_head)
    tensors, meta = load_checkpoint(with_head.out, "aos-train")
    tried = meta["chosen_head"]["scores"]
    names = {AS_TRAINED, RETRAINED}
    assert set(tried) == names | (set() if loss == "ldam" else {f"tau {tau:g}" for tau in TAUS})
    best = max(scores["acsa"] for scores in tried.values())
    assert tried[meta["chosen_head"]["name"]]["acsa"] == best == report.val["acsa"]

    without = replace(with_head, out=tmp_path / "without.safetensors", head_epochs=0)
    aos_train.run(without)
    before, _ = load_checkpoint(without.out, "aos-train")
    changed = {name for name in before if not torch.equal(before[name], tensors[name])}
    last = {"model.network.15.weight", "model.network.15.bias"}
    assert changed <= last & before.keys()


def test_a_head_is_trained_in_float32_whatever_the_precision(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 30, "b": 8, "c": 8})
    found = {}
    for precision in ("fp32", "bf16"):
        run = aos_train.AosTrain(config(src, tmp_path / "clf.safetensors", lr=0.05))
        task = run.trainer(run.read(silent), torch.device("cpu"), precision, silent).task
        task.keeper.kept = weights_now(task.model)
        found[precision] = heads_of(task, silent)[RETRAINED]["weight"]
    # Features of the same weights, which alone are rounded.
    torch.testing.assert_close(found["bf16"], found["fp32"], rtol=0.05, atol=0.05)


def test_a_run_stopped_at_the_head_is_resumed_exactly(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 12, "b": 6})
    whole = config(src, tmp_path / "whole/clf.safetensors", ema=0.9, oversample="none")
    aos_train.run(whole)
    broken = replace(whole, out=tmp_path / "broken/clf.safetensors", resume=True)
    with pytest.raises(Interrupted):
        aos_train.run(broken, on_event=stop)
    assert not broken.out.exists()
    aos_train.run(broken)
    assert broken.out.read_bytes() == whole.out.read_bytes()


def test_a_head_is_worse_by_more_than_the_error_of_the_paired_difference() -> None:
    labels = np.repeat([0, 1], [400, 10])
    right = np.eye(2, dtype=np.float32)[labels]
    few, many = right.copy(), right.copy()
    few[-1], many[-4:] = few[-1, ::-1], many[-4:, ::-1]  # of the ten of the rare class
    assert not is_worse(right, right, labels)
    assert not is_worse(right, many, labels)
    # Half of 0.1, and an error of 0.5 sqrt((2 / 12 - (1 / 12)^2) / 12) = 0.058 or more.
    assert not is_worse(few, right, labels)
    # Half of 0.4, and an error of 0.5 sqrt((5 / 12 - (4 / 12)^2) / 12) = 0.080.
    assert is_worse(many, right, labels)


def test_a_network_without_a_dense_layer_is_refused(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 4, "b": 4}, size=(64, 64), mode="RGB")
    out, model = tmp_path / "x.safetensors", "squeezenet1_1"
    with pytest.raises(UserError, match=r"head_epochs.*squeezenet1_1.*no dense layer"):
        aos_train.run(config(src, out, model=model))
    with pytest.raises(UserError, match=r"model.*squeezenet1_1.*no dense layer"):
        aos_train.run(config(src, out, model=model, loss="ldam", head_epochs=0))


def test_a_head_trained_again_finds_the_rare_class() -> None:
    """Features that tell the classes apart, under a head that always names the large one."""
    rng = np.random.default_rng(0)
    labels = torch.tensor([0] * 195 + [1] * 5)
    values = torch.from_numpy(rng.normal(size=(200, 2))).float() + labels[:, None] * 3.0
    head = torch.nn.Linear(2, 2)
    settings = AosTrainConfig(
        src=Path("s"), out=Path("o.safetensors"), head_epochs=40, lr=0.05, batch_size=50
    )
    head.load_state_dict(retrained(head, Features(values, labels), settings, silent))
    recalled = (head(values).argmax(1) == labels)[labels == 1].float().mean()
    assert recalled == 1
