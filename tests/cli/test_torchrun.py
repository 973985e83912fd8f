"""Commands that torchrun starts in several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from imbsynth.runtime import launch
from tests.cli.test_commands import invoke
from tests.together import place_of


@pytest.mark.parametrize("name", ["inspect", "imbalance", "convert"])
def test_a_command_of_one_process_refuses_to_run_in_several(
    rare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable, value in place_of(1, 3, port=1).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(launch, "_PATIENCE", timedelta(milliseconds=1))  # nobody is there
    code, out, err = invoke(name, rare, *([] if name == "inspect" else [tmp_path / "dst"]))
    assert (code, out) == (2, "")
    assert f"error (process 1 of 3): {name} runs in one process, and 3 were started" in err
    assert f"fix: start it without torchrun: imbsynth {name}" in err


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    """What two processes of a command come to."""
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    # A port that is free, so that two runs on this machine do not meet.
    start += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    return subprocess.run(
        [*start, "-m", "imbsynth", *map(str, words), "--device", "cpu"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_torchrun_trains_and_one_process_prints(rare: Path, tmp_path: Path) -> None:
    out = tmp_path / "ae.safetensors"
    words = ["train-ae", rare, "--out", out, "--epochs", 1, "--latent-dim", 3, "--json"]
    result = torchrun(*words)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["checkpoint"] == out.as_posix()
    assert result.stderr.count("training: 1 steps") == 1


def test_of_several_processes_one_says_what_is_wrong(rare: Path, tmp_path: Path) -> None:
    """The writer finds the folder; the other one, that the writer has ended."""
    (tmp_path / "dst").mkdir()
    (tmp_path / "dst/kept").touch()
    result = torchrun("generate", rare, tmp_path / "dst")
    assert result.returncode == 1
    assert f"error (process 0 of 2): {tmp_path / 'dst'} exists\n  fix: " in result.stderr
    assert result.stderr.count("fix: ") == 1
