"""The benchmarks run, at a size that says nothing of speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import imbsynth
from benchmarks.growth import draw
from benchmarks.public_script import PublicScript
from tests.conftest import MakeFolder

PROJECT = Path(imbsynth.__file__).parent.parent
COUNTS = {"common": 30, "few": 12, "rare": 6}


def printed(script: str, *arguments: object) -> dict[str, Any]:
    """The one JSON line that a benchmark prints."""
    result = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{script}", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    return json.loads(line)


def test_the_gpu_script_runs_on_the_cpu(make_folder: MakeFolder, tmp_path: Path) -> None:
    real = make_folder({name: 6 for name in COUNTS}, name="real")
    source, out = make_folder(COUNTS), tmp_path / "gpu.json"
    result = printed("gpu", source, "--test", real, "--device", "cpu", "--tiny", "--out", out)
    assert json.loads(out.read_text()) == result
    assert result["job"]["synthetic_images"] == 42
    assert 0 < result["train_fraction_of_matmul"] < 2
    assert result["aos_train"]["ratio"] > 0
    assert result["fid_images_per_second"]["pixels"] > 0


def test_the_public_scripts_training_takes_a_step() -> None:
    images = np.random.default_rng(0).uniform(-1, 1, (4, 1, 28, 28))
    script = PublicScript(images, np.array([0, 0, 1, 1]))
    batch = torch.Tensor(images)
    assert script.decoder(script.encoder(batch)).shape == batch.shape
    weight = next(script.decoder.parameters())
    before = weight.detach().clone()
    script.take_step(batch)
    assert not torch.equal(weight, before)


def test_generating_is_held_against_writing(make_folder: MakeFolder) -> None:
    result = printed("generate", make_folder(COUNTS), "--rounds", 1)
    assert result["smote, latents"]["images"] == 42


def test_samplers_are_timed_beside_smote(make_folder: MakeFolder) -> None:
    result = printed("samplers", make_folder(COUNTS), "--methods", "amdo", "--generators", "gamo")
    assert result.keys() == {"smote", "amdo", "gamo"}
    assert result["gamo"]["training"]["processor"] > 0
    assert result["amdo"]["peak_mib"] > 0


def test_start_up_is_measured() -> None:
    assert printed("startup", "--images", 20, "--rounds", 1)["times_as_long"]["images"] == 20


def test_growth_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    cost = {"processor_ms_an_image": 1.0, "mib": 700.0}
    draw({"fid": {"100": cost, "400": cost}}, picture)
    with Image.open(picture) as image:
        assert image.width > 500


@pytest.mark.parametrize("gradients", [[], ["--forward"]])
def test_layers_are_timed_beside_the_librarys(gradients: list[str]) -> None:
    result = printed("convolutions", "--images", 2, "--rounds", 1, "--sizes", 4, *gradients)
    assert result["4x4, 64 and 128"].keys() == {"halving", "doubling", "growing"}
