"""`--fit`: how images of other proportions get to a size, and that what follows does the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from imbsynth.configs import (
    AosTrainConfig,
    AuditConfig,
    ConvertConfig,
    EvaluateConfig,
    ExperimentConfig,
    ExportConfig,
    FidConfig,
    Fit,
    GenerateConfig,
    PredictConfig,
    TrainAeConfig,
)
from imbsynth.engine import (
    aos_train,
    audit,
    convert,
    evaluate,
    export,
    fid,
    generate,
    predict,
    train_ae,
)
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.errors import UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.folders import scan
from tests.conftest import MakeFolder, contents
from tests.engine.experiments.written import protocol_for

COUNTS = {"a": 8, "b": 5}
SIZE = (12, 12)
FITS = [fit for fit in get_args(Fit) if fit != "squash"]


@pytest.fixture
def wide(make_folder: MakeFolder) -> Path:
    """Images twice as wide as high."""
    return make_folder(COUNTS, size=(10, 20), mode="RGB")


def converted(src: Path, fit: str) -> Path:
    """The same images at SIZE, as files."""
    dst = src.parent / f"{src.name}-{fit}"
    convert.run(ConvertConfig(src=src, dst=dst, image_size=SIZE, fit=fit))  # type: ignore[arg-type]
    return dst


def classifier(src: Path, out: Path, **options: Any) -> Path:
    small: dict[str, Any] = {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "fp32"}
    aos_train.run(AosTrainConfig(src=src, out=out, **small | options))
    return out


def autoencoder(src: Path, out: Path, **options: Any) -> Path:
    small: dict[str, Any] = {"epochs": 1, "batch_size": 8, "latent_dim": 4, "device": "cpu"}
    train_ae.run(TrainAeConfig(src=src, out=out, **small | options))
    return out


@pytest.mark.parametrize("fit", FITS)
def test_a_classifier_learns_and_judges_what_convert_would_write(
    wide: Path, make_folder: MakeFolder, tmp_path: Path, fit: str
) -> None:
    val = make_folder(COUNTS, name="val", size=(10, 20), mode="RGB", first=30)
    direct = classifier(wide, tmp_path / "1.safetensors", val=val, image_size=SIZE, fit=fit)
    files = classifier(converted(wide, fit), tmp_path / "2.safetensors", val=converted(val, fit))
    found, expected = (load_checkpoint(path, "aos-train") for path in (direct, files))
    weights = [name for name in expected.tensors if name.startswith("model.")]
    assert all((found.tensors[name] == expected.tensors[name]).all() for name in weights)
    assert (found.meta["fit"], expected.meta["fit"]) == (fit, "squash")

    test = make_folder(COUNTS, name="test", size=(24, 9), mode="RGB", first=50)
    folders = (test, converted(test, fit))
    reports = [
        evaluate.run(EvaluateConfig(checkpoint=direct, src=src, device="cpu")) for src in folders
    ]
    assert reports[0].confusion == reports[1].confusion
    assert reports[0].ece == reports[1].ece
    lines = []
    for number, src in enumerate(folders):
        out = tmp_path / f"predicted{number}"
        predict.run(PredictConfig(checkpoint=direct, src=(src,), out=out, device="cpu"))
        lines.append((out / "predictions.csv").read_text())
    assert lines[0] == lines[1]


def test_checkpoints_of_older_versions_squash(wide: Path, tmp_path: Path) -> None:
    path = classifier(wide, tmp_path / "clf.safetensors", image_size=SIZE, fit="pad")
    tensors, meta = load_checkpoint(path, "aos-train")
    older = {name: value for name, value in meta.items() if name != "fit"}
    save_checkpoint(tmp_path / "older.safetensors", Checkpoint(tensors, older))
    assert load_classifier(tmp_path / "older.safetensors").fit == "squash"
    save_checkpoint(tmp_path / "odd.safetensors", Checkpoint(tensors, {**meta, "fit": "fold"}))
    with pytest.raises(UserError, match="fitted in no known way"):
        load_classifier(tmp_path / "odd.safetensors")


def test_an_autoencoder_gets_images_as_in_its_training(wide: Path, tmp_path: Path) -> None:
    ae = autoencoder(wide, tmp_path / "ae.safetensors", image_size=(16, 16), fit="pad")
    dst = tmp_path / "dst"
    generate.run(GenerateConfig(src=wide, dst=dst, ae=ae, device="cpu"))
    padded = tmp_path / "padded"
    convert.run(ConvertConfig(src=wide, dst=padded, image_size=(16, 16), fit="pad"))
    again = tmp_path / "again"
    generate.run(GenerateConfig(src=padded, dst=again, ae=ae, device="cpu"))
    made = {name: data for name, data in contents(dst).items() if "synthetic" in name}
    assert made
    assert made == {name: data for name, data in contents(again).items() if "synthetic" in name}
    with pytest.raises(UserError, match="the autoencoder was trained with fit pad") as caught:
        classifier(
            wide, tmp_path / "clf.safetensors", image_size=(16, 16), oversample="smote", ae=ae
        )
    assert "give fit pad" in caught.value.fix


@pytest.mark.parametrize("fit", FITS)
def test_folders_are_compared_as_convert_would_write_them(wide: Path, fit: Any) -> None:
    other = converted(wide, fit)
    options: dict[str, Any] = {"image_size": SIZE, "fit": fit, "device": "cpu"}
    report = fid.run(FidConfig(real=wide, fake=other, features="pixels", **options))
    assert report.fid == pytest.approx(0, abs=1e-6)
    found = audit.run(AuditConfig(real=wide, fake=other, **options))
    assert found.near_copies == 1


def test_methods_on_a_folder_share_one_fit(wide: Path, tmp_path: Path) -> None:
    config = ExperimentConfig(on=wide, out=tmp_path / "out", image_size=SIZE, fit="crop")
    methods = protocol_for(scan(wide), config).methods
    assert {method.train["fit"] for method in methods.values()} == {"crop"}
    assert {m.ae["fit"] for m in methods.values() if m.ae is not None} == {"crop"}


def test_an_export_says_how_images_were_fitted(wide: Path, tmp_path: Path) -> None:
    path = classifier(wide, tmp_path / "clf.safetensors", image_size=SIZE, fit="crop")
    export.run(ExportConfig(checkpoint=path, to="torchscript", out=tmp_path / "clf.pt"))
    assert b'"fit": "crop"' in (tmp_path / "clf.pt").read_bytes()


@pytest.mark.parametrize("config", [AosTrainConfig, TrainAeConfig])
def test_a_fit_needs_a_size(config: Any) -> None:
    with pytest.raises(UserError, match="fit says how images get to a size"):
        config(src=Path("src"), out=Path("out.safetensors"), fit="pad")


def test_pretrained_weights_have_a_size() -> None:
    given = AosTrainConfig(
        src=Path("src"), out=Path("out.safetensors"), fit="pad", pretrained="auto"
    )
    assert given.sized
