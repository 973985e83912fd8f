from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imbsynth.configs import AuditConfig, GenerateConfig
from imbsynth.engine.auditing.images import NEITHER, halves_of, read_audited
from imbsynth.engine.events import silent
from imbsynth.engine.generate import run as generate
from imbsynth.errors import UserError
from tests.conftest import MakeFolder


@pytest.mark.parametrize("method", ["smote", "transfer", "ros"])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("most", [4, 100])
def test_the_halves_share_no_real_image(
    make_folder: MakeFolder, tmp_path: Path, method: str, apart: bool, most: int
) -> None:
    src = make_folder({"a": 20, "b": 9, "c": 4})
    generate(GenerateConfig(src=src, dst=tmp_path / "dst", method=method, synthetic_only=apart))
    config = AuditConfig(
        real=src if apart else tmp_path / "dst", fake=tmp_path / "dst" if apart else None
    )
    images = read_audited(config, silent)
    assert (~images.synthetic).sum() == 33
    assert images.synthetic.sum() == 27
    half = halves_of(images, most, 0)
    place = {path: i for i, path in enumerate(images.images.paths) if not images.synthetic[i]}
    for side in (0, 1):
        chosen = np.flatnonzero(half == side)
        assert len(chosen)
        for i in chosen[images.synthetic[chosen]]:
            parents = {half[place[path]] for path in images.parents[i]}
            assert parents <= {side, NEITHER}
        for label in range(3):
            for kind in (False, True):
                assert np.isin(images.of(label, synthetic=kind), chosen).sum() <= most


def test_images_of_unknown_parents_are_in_both_halves(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 6, "b": 6})
    fake = make_folder({"b": 5}, name="fake")
    images = read_audited(AuditConfig(real=real, fake=fake), silent)
    half = halves_of(images, 100, 0)
    assert images.labels[images.synthetic].tolist() == [1] * 5
    assert sorted(half[images.synthetic].tolist()) == [0, 0, 1, 1, 1] or sorted(
        half[images.synthetic].tolist()
    ) == [0, 0, 0, 1, 1]


def test_folders_that_cannot_be_compared(make_folder: MakeFolder, tmp_path: Path) -> None:
    real = make_folder({"a": 6, "b": 6})
    with pytest.raises(UserError, match=r"no manifest\.jsonl"):
        read_audited(AuditConfig(real=real), silent)
    strange = make_folder({"c": 5}, name="fake")
    with pytest.raises(UserError, match="no real images of class c"):
        read_audited(AuditConfig(real=real, fake=strange), silent)
    generate(GenerateConfig(src=real, dst=tmp_path / "dst"))  # nothing to add
    with pytest.raises(UserError, match="0 synthetic images"):
        read_audited(AuditConfig(real=tmp_path / "dst"), silent)
