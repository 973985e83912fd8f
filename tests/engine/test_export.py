from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imbsynth.configs import ExportConfig
from imbsynth.engine import export
from imbsynth.engine.inference.classifier import load_classifier, logits
from imbsynth.engine.inference.decisions import Fitted
from imbsynth.engine.reading import read_labelled
from imbsynth.errors import UserError
from imbsynth.models.classifiers import ImageShape
from imbsynth.store.images import ImageForm
from tests.engine.test_predict import COUNTS, write_classifier

SAMPLES = Path(__file__).parents[2] / "sample_data/test"
SHAPE = ImageShape(1, 28, 28)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_classifier(tmp_path / "clf.safetensors", Fitted(0, 1, {"rare": 0.25}), SHAPE)


def real_images() -> NDArray[np.uint8]:
    """(n, 1, 28, 28) handwritten digits."""
    found = read_labelled(
        SAMPLES,
        ImageForm((28, 28), 1),
        on_event=lambda _: None,
        only=("3", "7"),
    )
    return found.pixels[:]


def ours(checkpoint: Path, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    found = logits(
        load_classifier(checkpoint).model,
        torch.from_numpy(pixels),
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=64,
    )
    return torch.from_numpy(found).softmax(1).numpy()


def config(checkpoint: Path, out: Path, to: Any, **options: Any) -> ExportConfig:
    return ExportConfig(checkpoint=checkpoint, to=to, out=out, **options)


def test_onnxruntime_gives_our_probabilities_of_real_images(
    checkpoint: Path, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    report = export.run(config(checkpoint, tmp_path / "clf.onnx", "onnx"))
    session = onnxruntime.InferenceSession(tmp_path / "clf.onnx")
    pixels = real_images()
    expected = ours(checkpoint, pixels)
    for images in (1, 7, len(pixels)):
        given = {"images": pixels[:images].astype(np.float32) / 255}
        (found,) = session.run(["probabilities"], given)
        np.testing.assert_allclose(found, expected[:images], atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == report.classes == list(COUNTS)
    assert json.loads(metadata["thresholds"]) == {"rare": 0.25}
    assert json.loads(metadata["made_by"])["command"] == "export"


def test_torchscript_gives_our_probabilities_of_real_images(
    checkpoint: Path, tmp_path: Path
) -> None:
    export.run(config(checkpoint, tmp_path / "clf.pt", "torchscript"))
    extra = {"imbsynth.json": ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # newer versions of torch deprecate it
        script = torch.jit.load(tmp_path / "clf.pt", _extra_files=extra)
    pixels = real_images()
    expected = ours(checkpoint, pixels)
    for images in (1, 7, len(pixels)):
        found = script(torch.from_numpy(pixels[:images]).float() / 255)
        np.testing.assert_allclose(found.detach().numpy(), expected[:images], atol=1e-5)
    assert json.loads(extra["imbsynth.json"])["classes"] == list(COUNTS)


@pytest.mark.parametrize("to", ["onnx", "torchscript"])
def test_no_folder_of_this_machine_is_in_the_file(
    checkpoint: Path, tmp_path: Path, to: Any
) -> None:
    if to == "onnx":
        pytest.importorskip("onnxscript")
    out = tmp_path / "out"
    export.run(config(checkpoint, out, to))
    data = [out.read_bytes()]
    if to == "torchscript":
        with zipfile.ZipFile(out) as archive:
            data = [archive.read(name) for name in archive.namelist()]
    here = (Path(torch.__file__).parent, Path(export.__file__).parent, tmp_path)
    assert not any(str(folder).encode() in part for folder in here for part in data)


def test_an_existing_file_is_kept_and_nothing_is_left_behind(
    checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "clf.pt").write_text("mine")
    with pytest.raises(UserError, match=r"clf\.pt exists"):
        export.run(config(checkpoint, tmp_path / "clf.pt", "torchscript"))
    with pytest.raises(UserError, match=r" lies in | holds "):
        export.run(config(checkpoint, checkpoint, "torchscript", force=True))
    assert (tmp_path / "clf.pt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clf.pt", "clf.safetensors"]


def test_only_an_earlier_export_is_replaced(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "clf.pt"
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr("notes.txt", "mine")
    archive_bytes = (tmp_path / "mine.zip").read_bytes()
    damaged = archive_bytes.replace(b"PK\x01\x02", b"PK\x00\x00")
    for foreign in (b"mine", b"", archive_bytes, damaged, checkpoint.read_bytes()):
        out.write_bytes(foreign)
        with pytest.raises(UserError, match=r"clf\.pt exists and was not made by export"):
            export.run(config(checkpoint, out, "torchscript", force=True))
        assert out.read_bytes() == foreign
    out.unlink()
    export.run(config(checkpoint, out, "torchscript"))
    export.run(config(checkpoint, out, "onnx", force=True))
    first = out.read_bytes()
    export.run(config(checkpoint, out, "onnx", force=True))
    assert out.read_bytes() == first


def test_without_its_packages_onnx_is_refused_with_exit_code_2(
    checkpoint: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from imbsynth.cli import main\n"
        f"sys.argv = ['imbsynth', 'export', {str(checkpoint)!r}, '--to', 'onnx', "
        f"'--out', {str(tmp_path / 'x.onnx')!r}]\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    assert "--to onnx: onnx cannot be imported" in result.stderr
    assert "pip install imbsynth[onnx]" in result.stderr
    assert not (tmp_path / "x.onnx").exists()


def test_weights_of_more_than_one_file_can_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    checkpoint = write_classifier(tmp_path / "c.safetensors", Fitted(0, 1, {}))
    monkeypatch.setattr(export, "LARGEST_ONNX", 1000)
    with pytest.raises(UserError, match="more than one file can hold"):
        export.run(config(checkpoint, tmp_path / "x.onnx", "onnx"))
    assert not (tmp_path / "x.onnx").exists()
