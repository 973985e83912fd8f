"""The examples of the documentation, run on tiny data as a user would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import MakeFolder, contents

EXAMPLES = Path(__file__).parent.parent / "examples"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
}


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command, capture_output=True, text=True, env={**ENVIRONMENT, **environment}
    )
    assert result.returncode == 0, result.stderr
    return result


def stop_in_training(command: list[str], log: Path, **environment: str) -> int:
    """Start a chain, stop it with SIGTERM while it trains, and return its exit code."""
    with log.open("w") as output:
        running = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**ENVIRONMENT, **environment},
            start_new_session=True,
        )
    deadline = time.monotonic() + 120
    while "training:" not in log.read_text():
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)  # for the process to come that far
    if command[0] == "make":
        os.killpg(running.pid, signal.SIGTERM)  # and make signals its child once more
    else:
        running.terminate()  # as a batch system does
    return running.wait(timeout=60)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_makefile_resumes_and_runs_nothing_twice(rare: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    make = ["make", "-f", str(EXAMPLES / "Makefile"), f"SRC={rare}", f"OUT={work}"]
    code = stop_in_training([*make, "EPOCHS=1000000"], tmp_path / "log")
    assert code != 0
    assert (work / "ae.state.safetensors").exists()
    assert not (work / "ae.safetensors").exists()

    assert "resuming after" in run([*make, "EPOCHS=2"]).stderr
    assert len(list((work / "balanced").glob("*/*.png"))) == 48
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*")}
    assert "imbsynth" not in run([*make, "EPOCHS=2"]).stdout
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*")} == before

    shutil.rmtree(work / "balanced")
    again = run([*make, "EPOCHS=2"]).stdout
    assert "imbsynth generate" in again
    assert "imbsynth train-ae" not in again


def test_the_notebook_runs_on_the_sample_data(tmp_path: Path) -> None:
    out = run([sys.executable, str(EXAMPLES / "notebook.py"), str(tmp_path)]).stdout
    assert "synthetic images per class" in out
    assert "ACSA 0." in out
    assert "k_neighbors is 0" in out
    assert (tmp_path / "balanced/samples.png").exists()


def test_the_training_loop_runs_on_the_sample_data() -> None:
    out = run([sys.executable, str(EXAMPLES / "training_loop.py"), "2"]).stdout
    assert "images per class and epoch: [120, 120, 120," in out
    assert "mean recall on the test images: 0." in out
    assert "per class [120, 120, 120," in out


def test_a_changed_image_runs_the_makefile_again(rare: Path, tmp_path: Path) -> None:
    make = ["make", "-f", str(EXAMPLES / "Makefile"), f"SRC={rare}", f"OUT={tmp_path / 'work'}"]
    run([*make, "EPOCHS=1"])
    shutil.copy(rare / "few/000.png", rare / "single/more.png")
    assert "imbsynth train-ae" in run([*make, "EPOCHS=1"]).stdout
    assert (tmp_path / "work/balanced/single/more.png").exists()


def test_the_batch_job_goes_on_when_submitted_again(rare: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    job = ["bash", str(EXAMPLES / "batch.sh"), str(rare), str(work)]
    assert stop_in_training(job, tmp_path / "log", EPOCHS="1000000") == 143
    assert (work / "ae.state.safetensors").exists()

    assert "resuming after" in run(job, EPOCHS="2").stderr
    assert (work / "balanced/run.json").exists()
    before = contents(work), (work / "balanced").stat()
    assert "is complete: nothing to do" in run(job, EPOCHS="2").stderr
    assert (contents(work), (work / "balanced").stat()) == before


GRID = """
data: {bars: {train: train, test: test}}
imbalance: {as is: {}}
seeds: [0, 1]
train: {epochs: 30, batch-size: 8}
train-ae: {epochs: 2, latent-dim: 4, batch-size: 8}
methods: {plain: {}, DeepSMOTE: {train-ae: {}, train: {oversample: none}}}
"""


def test_jobs_of_an_array_share_a_grid_and_take_up_what_a_killed_one_left(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    """The first of three is killed in its first trial."""
    make_folder({"a": 4, "b": 4}, name="test", first=100)
    data = make_folder({"a": 12, "b": 8}, name="train").parent
    (tmp_path / "grid.yaml").write_text(GRID)
    command = [str(EXAMPLES / "array.sh"), str(tmp_path / "grid.yaml"), str(data)]

    def submitted(number: int) -> subprocess.Popen[bytes]:
        with (tmp_path / f"log {number}").open("w") as log:
            job = ["bash", *command, str(tmp_path / "out")]
            return subprocess.Popen(job, stdout=log, stderr=log, env=ENVIRONMENT)

    first = submitted(1)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/trials/bars/as is/*/*lock*")):
        assert first.poll() is None, (tmp_path / "log 1").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)  # for the process to come that far
    others = [submitted(2), submitted(3)]
    first.kill()
    assert [job.wait(timeout=120) for job in (first, *others)] == [-signal.SIGKILL, 0, 0]
    assert len(list(tmp_path.glob("out/trials/bars/as is/*/*.json"))) == 4
    table = run(["imbsynth", "compare", str(tmp_path / "out"), "--json"]).stdout
    assert [row["seeds"] for row in json.loads(table)["rows"]] == [2, 2]
