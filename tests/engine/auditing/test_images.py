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
    digests = images.images.digests + images.images.pixel_digests
    place = {digest: i % len(half) for i, digest in enumerate(digests)}
    for side in (0, 1):
        chosen = np.flatnonzero(half == side)
        assert len(chosen)
        for i in chosen[images.synthetic[chosen]]:
            parents = {half[place[digest]] for digest in images.parents[i]}
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


def test_parents_are_found_by_what_they_show_not_by_their_names(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"a": 20, "b": 8})
    generate(GenerateConfig(src=src, dst=tmp_path / "dst", method="ros", synthetic_only=True))
    others = make_folder({"a": 20, "b": 8}, name="others")
    names = sorted((others / "b").iterdir())
    for path, name in zip(sorted((src / "b").iterdir()), names[1:] + names[:1], strict=True):
        name.write_bytes(path.read_bytes())
    images = read_audited(AuditConfig(real=others, fake=tmp_path / "dst"), silent)
    half = halves_of(images, 100, 0)
    digests = images.images.digests
    of_real = {digests[i]: half[i] for i in images.of(1, synthetic=False)}
    made = images.of(1, synthetic=True)
    assert len(made) == 12
    assert [half[i] for i in made] == [of_real[digests[i]] for i in made]


def test_one_picture_in_two_files_is_in_one_half_and_in_two_classes_in_none(
    make_folder: MakeFolder,
) -> None:
    real, fake = make_folder({"a": 3, "b": 6}), make_folder({"a": 4, "b": 4}, name="fake", first=50)
    (real / "a/again.png").write_bytes((real / "a/000.png").read_bytes())
    (real / "a/other class.png").write_bytes((real / "b/000.png").read_bytes())
    images = read_audited(AuditConfig(real=real, fake=fake), silent)
    half = halves_of(images, 100, 0)
    shown = dict(zip(images.images.paths[:11], half.tolist(), strict=False))
    assert [shown[f"a/{i:03d}.png"] for i in range(3)].count(NEITHER) == 0
    assert {shown["a/again.png"], shown["a/other class.png"], shown["b/000.png"]} == {NEITHER}
