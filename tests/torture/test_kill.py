"""Kill, interrupt, fill the disk, forbid to write: a target is absent or whole, inputs are whole.

What a killed run leaves is recognised and cleaned by the next, which ends in the same bytes.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from imbsynth.store.records import read_json
from tests.conftest import contents
from tests.torture.bench import FULL, Told, scaled
from tests.torture.children import Child, Limits, run
from tests.torture.writers import WRITERS, Writer, images_below, written

KILLS = scaled(4, 52)  # a command, over all tests here
SIGNALS = scaled(1, 4)  # of each kind a command
# So that a kill finds a state to go on from, and writers at work.
OFTEN = Limits(save_every=0.5, png_processes=True)
REPLACED = ["imbalance", "generate"]  # and killed while they replace, half of the times
PROMPT = 20.0  # seconds in which a run obeys; on a busy machine, for it is otherwise at once

GRID = """
data: {images: {train: src}}
folds: 3
seeds: [0, 1]
train: {epochs: 1}
train-ae: {epochs: 1, latent-dim: 4}
methods:
  ROS: {train: {oversample: ros}}
  DeepSMOTE: {train-ae: {}, train: {oversample: none}}
"""


class Case(NamedTuple):
    """A command, and what it should come to."""

    name: str
    writer: Writer
    src: Path
    checkpoints: dict[str, Path]
    whole: dict[str, bytes]  # of an unbroken run
    seconds: float  # that it took
    log: Path

    def arguments(self, out: Path, *more: object) -> list[object]:
        """The command line that writes into `out`."""
        return [*self.writer.arguments(self.src, out, self.checkpoints), *more]


@pytest.fixture(scope="session")
def unbroken(
    tmp_path_factory: pytest.TempPathFactory, checkpoints: dict[str, Path]
) -> Callable[[str], Case]:
    """A case by the name of its command, which is run once without any trouble."""
    folder = tmp_path_factory.mktemp("unbroken")
    src = images_below(folder / "src")
    assert run(["--version"], folder / "version") == 0  # the first fork starts the server

    @cache
    def run_once(name: str) -> Case:
        case = Case(name, WRITERS[name], src, checkpoints, {}, 0.0, folder / f"{name}.log")
        start = time.monotonic()
        assert run(case.arguments(folder / name), case.log) == 0, case.log.read_text()
        seconds = time.monotonic() - start
        return case._replace(whole=written(folder / name), seconds=seconds)

    return run_once


@pytest.fixture
def case(request: pytest.FixtureRequest, unbroken: Callable[[str], Case]) -> Case:
    """The command named by the parameter."""
    return unbroken(request.param)


every_writer = pytest.mark.parametrize("case", WRITERS, indirect=True)
some_writers = pytest.mark.parametrize(
    "case", WRITERS if FULL else ["split", "generate", "aos-train"], indirect=True
)


def assert_absent_or_whole(out: Path, case: Case) -> None:
    """Of the target there is nothing or all."""
    visible = {p: d for p, d in written(out).items() if p.split("/")[0] == case.writer.target}
    whole = {p: d for p, d in case.whole.items() if p.split("/")[0] == case.writer.target}
    assert visible in ({}, whole)


def assert_finished(out: Path, case: Case, *more: object) -> None:
    """The next run ends in the bytes of an unbroken one and leaves nothing else."""
    assert run(case.arguments(out, *more), case.log) == 0, case.log.read_text()
    assert written(out) == case.whole
    assert not [path for path in out.rglob(".*")]


@every_writer
def test_a_kill_at_any_moment_leaves_nothing_half_done(
    case: Case, tmp_path: Path, told: Told
) -> None:
    before, moments = contents(case.src), random.Random(case.writer.target)
    more = ["--resume"] if case.writer.trains else []
    kills = KILLS // 2 if case.writer.trains or case.name in REPLACED else KILLS
    for number in range(kills):
        out = tmp_path / f"out-{number}"
        out.mkdir()
        child = Child(case.arguments(out, *more), case.log, OFTEN)
        child.end_after(moments.uniform(0, case.seconds), signal.SIGKILL)
        child.wait()
        assert_absent_or_whole(out, case)
        ended = (out / case.writer.target).exists() and not case.writer.trains
        assert_finished(out, case, *(["--force"] if ended else more))
        shutil.rmtree(out)
    assert contents(case.src) == before
    told(kills, f"kills of {case.name}")


@pytest.mark.parametrize("case", ["train-ae", "aos-train"], indirect=True)
def test_a_training_killed_again_and_again_ends_in_the_same_bytes(
    case: Case, tmp_path: Path, told: Told
) -> None:
    out, moments = tmp_path / "out", random.Random(case.writer.target)
    out.mkdir()
    for _ in range(KILLS // 2):
        child = Child(case.arguments(out, "--resume"), case.log, OFTEN)
        child.end_after(moments.uniform(0.3, 1) * case.seconds, signal.SIGKILL)
        child.wait()
        assert_absent_or_whole(out, case)
    assert_finished(out, case, "--resume")
    told(KILLS // 2, f"kills of {case.name}")


@pytest.mark.parametrize("case", REPLACED, indirect=True)
def test_a_kill_within_a_replacement_leaves_the_old_or_the_new(
    case: Case, tmp_path: Path, told: Told
) -> None:
    moments = random.Random(case.writer.target)
    for number in range(KILLS // 2):
        out = tmp_path / f"out-{number}"
        assert run(case.arguments(out), case.log) == 0
        child = Child(case.arguments(out, "--force", "--seed", 1), case.log)
        child.end_after(moments.uniform(0.5, 1.2) * case.seconds, signal.SIGKILL)
        child.wait()
        # Between two renames the old one may stand beside its place for the next run to find.
        assert run(case.arguments(out), case.log) in (0, 2), case.log.read_text()
        assert (out / case.writer.target / "run.json").exists()
        assert not [path for path in out.rglob(".*imbsynth-old")]
        assert_finished(out, case, "--force")
        shutil.rmtree(out)
    told(KILLS // 2, f"kills of {case.name}")


def test_an_experiment_killed_again_and_again_goes_on(tmp_path: Path, told: Told) -> None:
    images_below(tmp_path / "src")
    (tmp_path / "grid.yaml").write_text(GRID)
    whole, out, log = tmp_path / "whole", tmp_path / "out", tmp_path / "log"
    arguments = ["experiment", tmp_path / "grid.yaml", "--data", tmp_path, "--device", "cpu"]
    start = time.monotonic()
    assert run([*arguments, "--out", whole], log) == 0, log.read_text()
    seconds, expected, moments = time.monotonic() - start, scores(whole), random.Random("grid")
    for _ in range(KILLS):
        child = Child([*arguments, "--out", out], log)
        child.end_after(moments.uniform(0, 1) * seconds, signal.SIGKILL)
        child.wait()
        found = scores(out)
        assert found.items() <= expected.items()
        if found == expected:
            shutil.rmtree(out)
    assert run([*arguments, "--out", out], log) == 0, log.read_text()
    assert scores(out) == expected
    assert not [path for path in (out / "trials").rglob(".*")]
    told(KILLS, "kills of experiment")


def scores(out: Path) -> dict[str, str]:
    """What an experiment has found so far, without how long it took."""
    trials = out.glob("trials/*/*/*/*.json")
    return {trial.relative_to(out).as_posix(): str(read_json(trial)["tests"]) for trial in trials}


@some_writers
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stop_is_prompt_and_tidy(
    case: Case, tmp_path: Path, number: signal.Signals, code: int, told: Told
) -> None:
    moments = random.Random(case.writer.target)
    for turn in range(SIGNALS):
        out, log = tmp_path / f"out-{turn}", tmp_path / f"log-{turn}"
        out.mkdir()
        child = Child(case.arguments(out), log, OFTEN)
        child.wait_for(lambda said: "images: " in said)  # "reading images" or "writing images"
        child.end_after(moments.uniform(0, case.seconds / 2), number)
        asked = time.monotonic()
        assert child.wait() in (code, 0), child.said()  # 0: it was done before
        assert time.monotonic() - asked < PROMPT
        assert "Traceback" not in child.said()
        assert not [path for path in out.rglob(".*")]
        assert_absent_or_whole(out, case)
        ended = (out / case.writer.target).exists()
        more = ["--resume"] if case.writer.trains else ["--force"] if ended else []
        assert_finished(out, case, *more)
    told(SIGNALS, f"signals {number.name}")


@every_writer
@pytest.mark.parametrize("room", [1, 100, 2000] if FULL else [100])
def test_a_full_disk_is_said_and_leaves_nothing(case: Case, tmp_path: Path, room: int) -> None:
    before, out, log = contents(case.src), tmp_path / "out", tmp_path / "full"
    out.mkdir()
    # The limit counts for every file, the log of the child as well: that is a pipe, so to speak.
    code = run([*case.arguments(out), "--quiet"], log, Limits(file_size=room))
    said = log.read_text()
    if room == 2000 and code == 0:
        assert written(out) == case.whole
        return
    assert code in (2, 120)  # 120: Python could not write its last words, the log being full
    assert "Traceback" not in said
    assert written(out) == {}
    assert not [path for path in out.rglob(".*")]
    assert contents(case.src) == before


@every_writer
def test_a_read_only_place_is_said_and_stays_as_it_is(case: Case, tmp_path: Path) -> None:
    before, out, log = contents(case.src), tmp_path / "out", tmp_path / "log"
    out.mkdir(mode=0o555)
    assert run(case.arguments(out), log, Limits(permissions=True)) == 2, log.read_text()
    assert "Permission denied" in log.read_text()
    assert "fix: choose a place where you may write" in log.read_text()
    assert os.listdir(out) == []
    assert contents(case.src) == before
