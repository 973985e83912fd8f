"""A conditional generator is a source as well as an interpolation is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from imbsynth.configs import GenerateConfig
from imbsynth.core.augmentation import random_flip_crop
from imbsynth.core.pixels import to_bytes
from imbsynth.core.plans import Plan
from imbsynth.core.row_streams import Rows, RowStream
from imbsynth.core.tables import AUGMENTATIONS, SAMPLERS
from imbsynth.engine import generate
from imbsynth.engine.events import silent
from imbsynth.engine.manifest import made_of
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.sources.augmented import AugmentedCopies
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.source import MethodRecord, Source
from imbsynth.engine.sources.spaces import PixelSpace
from imbsynth.runtime import stream
from imbsynth.store.images import AS_THEY_ARE
from tests.conftest import contents


class ClassGaussians:
    """The mean image of a class and noise of its deviation: a generator in its simplest form."""

    method_record = MethodRecord("gaussians", model="0" * 64)
    rows_at_once = 16

    def __init__(self, images: Labelled, seed: int) -> None:
        self.members, self.seed = images.members(), seed
        self.pixels = torch.from_numpy(images.pixels) / 255

    def plan(self, label: int, rows: Rows) -> Plan:
        noise = RowStream(stream(self.seed, "gaussians", label))
        drawn = noise.normals(rows, self.pixels[0].numel()).astype(np.float32)
        nothing = np.empty((len(rows), 0))
        return Plan(rows, nothing.astype(np.int64), nothing, drawn)

    def images(self, label: int, plan: Plan) -> Tensor:
        assert plan.offsets is not None
        own = self.pixels[torch.from_numpy(self.members[label])]
        noise = torch.from_numpy(plan.offsets).reshape(-1, *own.shape[1:])
        return to_bytes(own.mean(0) + 0.1 * noise)


def read(src: Path) -> Labelled:
    return read_labelled(src, AS_THEY_ARE, on_event=silent)


def test_a_generator_goes_through_the_same_pipeline(
    rare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def source(config: Any, compute: Any, images: Labelled, *rest: Any) -> Source:
        return ClassGaussians(images, config.seed)

    monkeypatch.setattr(generate, "source_of", source)
    for name, to in (("small", 20), ("large", 60)):
        report = generate.run(GenerateConfig(src=rare, dst=tmp_path / name, to=to))
        assert set(report.counts.values()) == {to}
        assert report.samples is not None
    small, large = (
        {path: data for path, data in contents(tmp_path / name).items() if "synthetic" in path}
        for name in ("small", "large")
    )
    assert len(small) == 60
    assert small == {path: large[path] for path in small}
    lines = (tmp_path / "small/manifest.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["method"], first["model"], first["parents"]) == ("gaussians", "0" * 64, [])
    assert "space" not in first
    assert made_of(tmp_path / "small").keys() == small.keys()


@pytest.mark.parametrize("method", [*SAMPLERS, "affine", "flip-crop"])
def test_any_row_can_be_made_again_alone(rare: Path, method: str) -> None:
    images = read(rare)
    config = GenerateConfig(src=rare, dst=rare)

    def source() -> Source:
        if method in AUGMENTATIONS:
            return AugmentedCopies(method, images, 50, options=config, seed=3)
        space = PixelSpace(images, images.members(), torch.device("cpu"), 50)
        return Interpolation(method, space, images.classes, options=config, seed=3)

    whole = source()
    made = whole.images(1, whole.plan(1, np.arange(50)))
    for row in (49, 0, 17):
        alone = source()
        assert torch.equal(alone.images(1, alone.plan(1, np.array([row])))[0], made[row])


def test_augmented_copies_differ_from_each_other_and_use_every_image(rare: Path) -> None:
    source = AugmentedCopies("affine", read(rare), 50, options=None, seed=0)
    plan = source.plan(1, np.arange(20))
    assert np.bincount(plan.parents[:, 0])[12:17].tolist() == [4] * 5
    made = source.images(1, plan)
    assert len({image.numpy().tobytes() for image in made}) == 20


def test_an_augmented_copy_is_its_base_changed_by_the_generator_of_its_row(rare: Path) -> None:
    images = read(rare)
    source = AugmentedCopies("flip-crop", images, 50, options=None, seed=7)
    plan = source.plan(1, np.array([3]))
    rng = stream(7, "generate", "augment", "few")
    _order, changes = RowStream(rng), RowStream(rng)
    base = torch.from_numpy(images.pixels[plan.parents[:, 0]]) / 255
    expected = to_bytes(random_flip_crop(base, changes.generator(3)))
    assert torch.equal(source.images(1, plan), expected)
