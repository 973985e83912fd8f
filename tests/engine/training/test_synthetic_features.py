from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.core.feature_views import Views
from imbsynth.core.tables import FEATURE_SAMPLERS
from imbsynth.engine import aos_train
from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.training.head import AS_TRAINED, with_features
from imbsynth.engine.training.synthetic_features import (
    PER_CLASS,
    synthetic_features,
    trained_with_synthetic,
)
from imbsynth.errors import Interrupted
from imbsynth.store.checkpoints import load_checkpoint
from tests.conftest import MakeFolder
from tests.engine.training.test_head import config


def apart(method: str, **options: object) -> AosTrainConfig:
    """For what reads no folder."""
    return config(Path("s"), Path("o.safetensors"), head_synthesis=method, **options)


def two_classes() -> Views:
    """A large and a rare class that overlap, after a ReLU."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [190, 10])
    values = rng.normal(size=(2, 200, 2)) + 1.5 * labels[:, None]
    return Views(torch.from_numpy(values).float().relu(), labels)


# The flow takes seconds to fit: tests/core/test_flow_matching.py does it once.
@pytest.mark.parametrize("method", [name for name in FEATURE_SAMPLERS if name != "flow"])
def test_features_of_every_class_by_seed_alone_and_never_below_real_ones(method: str) -> None:
    views = two_classes()
    made = synthetic_features(views, apart(method))
    assert made.shape == (2, PER_CLASS, 2)
    assert made.min() >= 0
    assert torch.equal(made, synthetic_features(views, apart(method, batch_size=100)))
    assert not torch.equal(made, synthetic_features(views, apart(method, seed=1)))


def test_the_head_favours_no_class_whatever_the_batch_size() -> None:
    views = two_classes()
    states = []
    for batch_size in (8, 50):
        head = torch.nn.Linear(2, 2)
        with torch.no_grad():
            head.weight.zero_()
            head.bias.copy_(torch.tensor([3.0, 0.0]))  # names the large class
        settings = apart("smote", batch_size=batch_size, head_epochs=50, lr=0.05)
        states.append(trained_with_synthetic(head, views, settings, silent))
        named = head(views.values[0]).argmax(1).numpy()
        recalls = [(named[views.labels == k] == k).mean() for k in (0, 1)]
        assert min(recalls) > 0.6  # 0.77 of each would be even
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])


@pytest.mark.parametrize("method", ["ros", "smote", "calibrated"])
def test_a_head_with_synthetic_features_stands_beside_the_one_as_trained(
    make_folder: MakeFolder, tmp_path: Path, method: str
) -> None:
    src = make_folder({"a": 24, "b": 8})
    notes: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    chosen = config(src, tmp_path / "with.safetensors", head_synthesis=method)
    aos_train.run(chosen, on_event=listen)
    _, meta = load_checkpoint(chosen.out, "aos-train")
    scores, name = meta["chosen_head"]["scores"], meta["chosen_head"]["name"]
    assert list(scores) == [AS_TRAINED, with_features(method)]
    recalls = ", ".join(f"{head} {tried['acsa']:.4f}" for head, tried in scores.items())
    assert f"head: {name} (mean recall on the validation images: {recalls})" in notes
    assert meta["made_by"]["config"]["head_synthesis"] == method

    without = replace(chosen, out=tmp_path / "without.safetensors", head_synthesis="none")
    aos_train.run(without)
    _, meta = load_checkpoint(without.out, "aos-train")
    assert meta["chosen_head"]["scores"][AS_TRAINED] == scores[AS_TRAINED]


def test_statistics_of_normalisation_are_not_touched_and_a_stopped_run_is_resumed(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 12, "b": 6})
    whole = config(src, tmp_path / "whole/clf.safetensors", head_synthesis="smote")
    aos_train.run(whole)
    broken = replace(whole, out=tmp_path / "broken/clf.safetensors", resume=True)

    def stop(event: Event) -> None:
        if isinstance(event, Note) and event.text.startswith("drawing "):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        aos_train.run(broken, on_event=stop)
    aos_train.run(broken)
    assert broken.out.read_bytes() == whole.out.read_bytes()
    plain = replace(whole, out=tmp_path / "plain.safetensors", head_synthesis="none", head_epochs=0)
    aos_train.run(plain)
    before, after = (load_checkpoint(c.out, "aos-train")[0] for c in (plain, whole))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed <= {"model.network.15.weight", "model.network.15.bias"}
