from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner

from imbsynth.cli import app
from imbsynth.configs import AuditConfig, GenerateConfig
from imbsynth.engine import generate
from imbsynth.engine.audit import TOO_FEW, run
from imbsynth.engine.events import Event, Started
from imbsynth.errors import UserError
from tests.conftest import MakeFolder, contents

PER_CLASS = 40


def pattern(name: str, rng: np.random.Generator) -> Image.Image:
    """Noise, brighter on the left in class a and on the right in class b."""
    pixels = rng.integers(0, 100, (12, 12))
    pixels[:, :6] += 120 if name == "a" else 0
    pixels[:, 6:] += 120 if name == "b" else 0
    return Image.fromarray(pixels.astype(np.uint8))


def folder(root: Path, seed: int, *, swapped: bool = False, blurred: bool = False) -> Path:
    """Images of two classes; swapped: each in the folder of the other."""
    rng = np.random.default_rng(seed)
    for name in ("a", "b"):
        shown = {"a": "b", "b": "a"}[name] if swapped else name
        (root / name).mkdir(parents=True)
        for i in range(PER_CLASS):
            image = pattern(shown, rng)
            image = image.filter(ImageFilter.BoxBlur(1)) if blurred else image
            image.save(root / name / f"{i}.png")
    return root


def audit(real: Path, fake: Path | None = None, **options: Any) -> Any:
    return run(AuditConfig(real=real, fake=fake, device="cpu", epochs=4, **options))


def test_more_images_of_the_same_kind_pass(tmp_path: Path) -> None:
    report = audit(folder(tmp_path / "real", 0), folder(tmp_path / "fake", 1))
    assert report.verdict == "pass"
    assert report.failures == []
    assert 0.3 < report.probe_auroc < 0.7
    assert report.near_copies == 0
    assert report.label_fidelity > 0.9
    assert report.real_fidelity > 0.9
    assert report.per_class.keys() == {"a", "b"}
    numbers = report.per_class["a"]
    assert numbers["real"] == numbers["synthetic"] == PER_CLASS
    assert numbers["coverage"] > 0.5
    assert report.out is None


def test_blur_is_found_and_named(tmp_path: Path) -> None:
    report = audit(folder(tmp_path / "real", 0), folder(tmp_path / "fake", 1, blurred=True))
    assert report.verdict == "fail"
    assert report.failures[0].startswith("a probe tells synthetic from real images: AUROC 1.00")
    assert report.probe_by["blur"] > 0.99
    far = report.per_class["a"]["frechet"]
    assert far > audit(tmp_path / "real", folder(tmp_path / "sharp", 2)).per_class["a"]["frechet"]


def test_images_of_another_class_are_found(tmp_path: Path) -> None:
    report = audit(folder(tmp_path / "real", 0), folder(tmp_path / "fake", 1, swapped=True))
    assert report.label_fidelity < 0.1
    assert any(
        failure.startswith("the judge names 0.0 % of the synthetic") for failure in report.failures
    )


def test_copies_are_found_and_no_probe_tells_them_apart(tmp_path: Path) -> None:
    src = folder(tmp_path / "real", 0)
    for path in sorted((src / "b").iterdir())[20:]:
        path.unlink()
    generate.run(GenerateConfig(src=src, dst=tmp_path / "dst", method="ros", to=60))
    report = audit(tmp_path / "dst", out=tmp_path / "audit")
    assert report.near_copies == 1
    assert report.limits_passed == ["max_near_copies"]
    assert report.failures[0].startswith("100.0 % of the synthetic images are near-copies of real")
    assert report.copies
    assert 0.3 < report.probe_auroc < 0.7
    made = contents(tmp_path / "audit")
    assert made.keys() == {"audit.json", "audit.png", "run.json"}
    assert json.loads(made["audit.json"])["near_copies"] == 1
    allowed = audit(tmp_path / "dst", max_near_copies=1.0)
    assert allowed.verdict == "pass"


def test_the_record_has_the_digests_of_both_folders_and_what_was_left_out(tmp_path: Path) -> None:
    real, fake = folder(tmp_path / "real", 0), folder(tmp_path / "fake", 1)
    broken = next(fake.iterdir()) / "broken.png"
    broken.write_bytes(b"broken")
    audit(real, fake, out=tmp_path / "audit", skip_unreadable=True)
    record = json.loads((tmp_path / "audit/run.json").read_text())
    assert record["inputs"].keys() == {"real", "fake"}
    assert record["inputs"]["real"] != record["inputs"]["fake"]
    assert record["left_out"].keys() == {"fake"}
    assert record["left_out"]["fake"]["unreadable"] == [broken.relative_to(fake).as_posix()]


def test_the_same_audit_gives_the_same_bytes(rare: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    for name in ("one", "two"):
        audit(tmp_path / "dst", out=tmp_path / name)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one["audit.png"] == two["audit.png"]
    assert one["audit.json"] == two["audit.json"]


def test_a_class_that_cannot_be_judged_is_left_out(rare: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    report = audit(tmp_path / "dst")
    assert report.left_out["single"] == TOO_FEW
    assert report.left_out["common"] == "no synthetic images"
    assert "few" in report.per_class


def test_one_class_has_no_judge(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 9}, name="real")
    report = audit(real, make_folder({"a": 7}, name="fake"))
    assert report.label_fidelity is None
    assert "label_fidelity" not in report.per_class["a"]


def test_nothing_to_compare_is_said(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 1, "b": 9}, name="real")
    with pytest.raises(UserError, match="there is nothing to compare: class a"):
        audit(real, make_folder({"a": 7}, name="fake"))


def test_photographs_that_no_judge_could_learn_from_are_refused_before_they_are_read(
    make_folder: MakeFolder,
) -> None:
    real = make_folder({"a": 2, "b": 2}, name="real", size=(1100, 8))
    told: list[Event] = []
    with pytest.raises(UserError, match="1100x8"):
        run(AuditConfig(real=real, fake=real), on_event=told.append)
    assert not any(isinstance(event, Started) for event in told)


def test_classes_of_one_picture_in_several_files_are_left_out(make_folder: MakeFolder) -> None:
    real, fake = (make_folder({"a": 9, "b": 9}, name=name) for name in ("real", "fake"))
    for path in (real / "b").iterdir():
        path.write_bytes((fake / "b/000.png").read_bytes())
    report = audit(real, fake)
    assert report.left_out == {"b": TOO_FEW}


def test_what_fails_says_its_limit_and_a_way_out(tmp_path: Path) -> None:
    src = folder(tmp_path / "real", 0)
    for path in sorted((src / "b").iterdir())[20:]:
        path.unlink()
    generate.run(GenerateConfig(src=src, dst=tmp_path / "dst", method="ros", to=60))
    arguments = ["audit", str(tmp_path / "dst"), "--epochs", "2", "--device", "cpu"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 3
    assert "limits: --max-auroc 0.9, --min-fidelity 0.9, --max-near-copies 0.5" in result.stdout
    assert "copies are what --method ros makes" in result.stdout
    assert "--max-near-copies 1" in result.stdout
