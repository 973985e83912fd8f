from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import imbsynth
from imbsynth.configs import BalancedConfig
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.sources.source import Source
from imbsynth.interop.dataset import Balanced
from tests.conftest import MakeFolder

Epoch = list[tuple[bytes, int]]


@pytest.fixture
def src(make_folder: MakeFolder) -> Path:
    return make_folder({"common": 9, "few": 4, "rare": 3})


def made(src: Path, **options: Any) -> Balanced:
    return imbsynth.balanced(src, **{"transform": torch.Tensor.clone, "device": "cpu", **options})


def epochs(balanced: Balanced, count: int = 2, **loading: Any) -> list[Epoch]:
    """The images and labels of some epochs, in the order in which they come."""
    loader = DataLoader(balanced.dataset, 5, sampler=balanced.sampler, **loading)
    return [
        [
            (image.numpy().tobytes(), int(label))
            for images, labels in loader
            for image, label in zip(images, labels, strict=True)
        ]
        for _ in range(count)
    ]


def synthetic(balanced: Balanced) -> list[bytes]:
    dataset = balanced.dataset
    return [dataset[i][0].numpy().tobytes() for i in range(len(dataset)) if dataset.is_synthetic(i)]


def test_the_originals_come_first_as_they_are_and_classes_are_balanced(src: Path) -> None:
    dataset, sampler = made(src, image_size=8)
    assert dataset.classes == ["common", "few", "rare"]
    assert dataset.class_to_idx["rare"] == 2
    assert np.bincount(dataset.targets).tolist() == [9, 9, 9]
    assert len(dataset) == len(sampler) == 27
    image, label = dataset[9]
    assert label == 1
    assert image.numpy().tobytes() == Image.open(src / "few/000.png").tobytes()
    assert torch.equal(dataset[-1][0], dataset[26][0])
    assert [dataset.is_synthetic(i) for i in (15, 16, -1, -27)] == [False, True, True, False]
    with pytest.raises(IndexError):
        _ = dataset[27]


def test_without_a_transform_images_are_floats_from_0_to_1(src: Path) -> None:
    dataset, _ = imbsynth.balanced(str(src), device="cpu")
    image, _ = dataset[0]
    assert image.dtype == torch.float32
    assert 0 <= image.min() < image.max() <= 1


@pytest.mark.parametrize("method", [*SAMPLERS, "augment"])
def test_the_first_epoch_has_the_images_that_generate_writes(
    method: str, src: Path, tmp_path: Path
) -> None:
    imbsynth.generate(src=src, dst=tmp_path / "dst", method=method, seed=3, device="cpu")
    files = sorted((tmp_path / "dst").glob("*/synthetic-*.png"))
    written = [Image.open(path).tobytes() for path in files]
    assert synthetic(made(src, method=method, seed=3)) == written


def test_an_autoencoder_draws_in_its_latent_space(src: Path, tmp_path: Path) -> None:
    ae = tmp_path / "ae.safetensors"
    imbsynth.train_ae(src=src, out=ae, epochs=1, latent_dim=4, device="cpu")
    imbsynth.generate(src=src, dst=tmp_path / "dst", ae=ae, device="cpu")
    files = sorted((tmp_path / "dst").glob("*/synthetic-*.png"))
    assert synthetic(made(src, ae=ae)) == [Image.open(path).tobytes() for path in files]


def test_workers_change_neither_images_nor_order(src: Path) -> None:
    alone = epochs(made(src))
    assert epochs(made(src), num_workers=2) == alone
    assert epochs(made(src), num_workers=2, persistent_workers=True) == alone
    assert epochs(made(src, seed=1)) != alone


def test_a_worker_that_is_not_forked_sees_what_is_drawn_later_and_draws_nothing(src: Path) -> None:
    dataset, _ = made(src)
    sent = pickle.loads(ForkingPickler.dumps(dataset))
    dataset.draw(1)
    assert [torch.equal(dataset[i][0], sent[i][0]) for i in range(27)] == [True] * 27
    with pytest.raises(ValueError, match="in the main process"):
        sent.draw(2)


def test_synthetic_images_are_made_per_epoch_or_once(src: Path) -> None:
    fresh, once = made(src), made(src, fresh=False)
    first = synthetic(fresh)
    assert synthetic(once) == first
    assert [len(epoch) for epoch in epochs(fresh)] == [27, 27]
    assert not set(first) & set(synthetic(fresh))
    one, other = epochs(once)
    assert one != other
    assert sorted(one) == sorted(other)


def test_an_epoch_can_be_made_again_alone(src: Path) -> None:
    third = epochs(made(src), count=3)[2]
    resumed = made(src)
    resumed.sampler.set_epoch(2)
    assert epochs(resumed, count=1) == [third]


class StopsAtTheLastClass:
    """A source that a person interrupts."""

    def __init__(self, source: Source) -> None:
        self.source, self.rows_at_once = source, source.rows_at_once

    def plan(self, label: int, rows: Rows) -> Plan:
        return self.source.plan(label, rows)

    def images(self, label: int, plan: Plan) -> torch.Tensor:
        if label == 2:
            raise KeyboardInterrupt
        return self.source.images(label, plan)


def test_an_epoch_whose_drawing_was_interrupted_is_drawn_again(src: Path) -> None:
    balanced = made(src)
    dataset, first = balanced.dataset, synthetic(balanced)
    source = dataset._source
    assert source is not None
    dataset._source = StopsAtTheLastClass(source)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        dataset.draw(1)
    dataset._source = source
    dataset.draw(0)
    assert synthetic(balanced) == first


def test_balanced_classes_need_no_synthetic_image(make_folder: MakeFolder) -> None:
    balanced = made(make_folder({"a": 2, "b": 2}))
    assert synthetic(balanced) == []
    assert len(epochs(balanced, count=1)[0]) == 4


def test_what_is_wrong_is_said_with_the_name_of_the_argument(src: Path, tmp_path: Path) -> None:
    with pytest.raises(imbsynth.UserError, match="k_neighbors is 0"):
        made(src, k_neighbors=0)
    with pytest.raises(imbsynth.UserError, match="share and to"):
        BalancedConfig(src=src, to=9, share=0.5)
    imbsynth.generate(src=src, dst=tmp_path / "dst")
    with pytest.raises(imbsynth.UserError, match="synthetic"):
        made(tmp_path / "dst")
