from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imbsynth.configs import AosTrainConfig
from imbsynth.core.mixing import Batch
from imbsynth.engine.training.states import Place
from imbsynth.engine.training.strategy import strategy_of

COUNTS = torch.tensor([6, 2])
PLACE = Place(1, 2, 3, 10)
NONE: dict[str, Any] = {"augment": "none"}


def batch() -> Batch:
    return Batch(torch.rand(6, 3, 8, 8), torch.eye(2)[[0, 0, 0, 0, 1, 1]])


def no_partners(_count: int, _rng: np.random.Generator) -> Batch:
    raise AssertionError("partners were drawn from the training set")


def changed(given: Batch, place: Place = PLACE, **options: Any) -> Batch:
    config = AosTrainConfig(src=Path("s"), out=Path("o.safetensors"), **{**NONE, **options})
    return strategy_of(config).changed(given, COUNTS, no_partners, place)


def test_label_smoothing_by_hand_and_by_torch() -> None:
    given = batch()
    soft = changed(given, label_smoothing=0.2).targets
    assert soft[0].tolist() == pytest.approx([0.9, 0.1])
    logits = torch.rand(6, 2)
    expected = torch.nn.functional.cross_entropy(
        logits, given.targets.argmax(1), label_smoothing=0.2
    )
    torch.testing.assert_close(torch.nn.functional.cross_entropy(logits, soft), expected)


@pytest.mark.parametrize("mix", ["mixup", "cutmix", "remix"])
def test_partners_are_of_the_batch(mix: str) -> None:
    given = batch()
    first, second = (changed(given, mix=mix, label_smoothing=0.1) for _ in range(2))
    assert torch.equal(first.images, second.images)  # the same at each place
    assert torch.equal(first.targets, second.targets)
    assert not torch.equal(first.images, changed(given, PLACE._replace(step=3), mix=mix).images)
    torch.testing.assert_close(first.targets.sum(1), torch.ones(6))


def test_partners_of_cmo_are_of_all_classes_and_augmented() -> None:
    given = batch()
    asked: list[int] = []

    def white(count: int, _rng: np.random.Generator) -> Batch:
        asked.append(count)
        return Batch(torch.ones(count, 3, 8, 8), torch.eye(2)[[1] * count])

    config = AosTrainConfig(
        src=Path("s"), out=Path("o.safetensors"), mix="cmo", augment="flip-crop"
    )
    for step in range(20):
        found = strategy_of(config).changed(given, COUNTS, white, PLACE._replace(step=step))
        torch.testing.assert_close(found.targets[:, 1] >= given.targets[:, 1], torch.ones(6) > 0)
    assert asked == [6] * 20


def test_a_share_of_the_batches_is_mixed() -> None:
    given = batch()
    mixed = [
        not torch.equal(
            changed(given, PLACE._replace(step=step), mix="mixup", mix_share=0.3).images,
            given.images,
        )
        for step in range(300)
    ]
    assert 60 < sum(mixed) < 120
