"""The benchmarks run, at a size that says nothing of speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import imbsynth
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


def test_training_is_held_against_the_public_script(make_folder: MakeFolder) -> None:
    result = printed("train_ae", make_folder({"a": 80, "b": 30}), "--steps", 1, "--rounds", 1)
    assert result["times_as_fast"].keys() == {"mirrored", "scripts_network"}


def test_generating_is_held_against_writing(make_folder: MakeFolder) -> None:
    result = printed("generate", make_folder(COUNTS), "--rounds", 1)
    assert result["smote, latents"]["images"] == 42


def test_growth_and_start_up_are_measured(tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    assert set(printed("growth", "--images", 8, "--plot", picture)) == {
        "train-ae",
        "generate",
        "fid",
    }
    assert picture.is_file()
    assert printed("startup", "--images", 20, "--rounds", 1)["times_as_long"]["images"] == 20


def test_layers_are_timed_beside_the_librarys() -> None:
    result = printed("convolutions", "--images", 2, "--rounds", 1, "--sizes", 4)
    assert result["4x4, 64 and 128"].keys() == {"halving", "doubling"}
