from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from imbsynth.errors import UserError
from imbsynth.store import png_writers as module
from imbsynth.store.png_writers import png_writers, worthwhile, write_pngs

BATCHES = [
    np.random.default_rng(seed).integers(0, 256, (5, 3, 6, 4), np.uint8) for seed in range(8)
]


@pytest.fixture(autouse=True)
def processes_always_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "A_PROCESS", 1)


def names(batch: int) -> list[str]:
    return [f"{batch}-{number}.png" for number in range(5)]


@pytest.mark.parametrize("cores", [1, 2])
def test_threads_and_processes_write_the_same_files(tmp_path: Path, cores: int) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "\udcff").mkdir()  # a name of any bytes
    with png_writers(40, 72, cores=cores) as write:
        for number, pixels in enumerate(BATCHES):
            write(pixels, [tmp_path / "\udcff" / name for name in names(number)])
    for number, pixels in enumerate(BATCHES):
        write_pngs(pixels, [tmp_path / "plain" / name for name in names(number)])
        for name in names(number):
            made = tmp_path / "\udcff" / name
            assert made.read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert len(list((tmp_path / "\udcff").iterdir())) == 40


@pytest.mark.parametrize("cores", [1, 2])
def test_what_the_system_says_against_a_file_comes_back(tmp_path: Path, cores: int) -> None:
    with (
        pytest.raises(FileNotFoundError) as refused,
        png_writers(40, 72, cores=cores) as write,
    ):
        write(BATCHES[0], [tmp_path / "nowhere" / name for name in names(0)])
    assert refused.value.errno == errno.ENOENT
    assert str(refused.value.filename) == str(tmp_path / "nowhere" / "0-0.png")


def test_an_error_comes_before_all_is_handed_over(tmp_path: Path) -> None:
    handed = []

    def hand_over() -> None:
        with png_writers(40, 72, cores=2) as write:
            for number in range(100):
                write(BATCHES[0], [tmp_path / "nowhere" / name for name in names(number)])
                handed.append(number)

    with pytest.raises(FileNotFoundError):
        hand_over()
    assert len(handed) < 10


def test_a_killed_writer_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UserError, match=r"ended \(code 1\)"), png_writers(40, 72, cores=2) as write:
        write(BATCHES[0], [tmp_path / name for name in names(0)])


def test_writers_end_with_the_process_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from imbsynth.store import png_writers as m; m.A_PROCESS = 1\n"
        "with m.png_writers(40, 72, cores=2):\n"
        "    print('ready', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    if parent.stdout is None or parent.stdout.readline() != b"ready\n":
        raise AssertionError("the program failed")
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(children) == 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while any(alive(int(child)) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_small_work_is_worth_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "A_PROCESS", 16 << 20)
    assert worthwhile(0, 784, 16) == 0
    assert worthwhile(5_000, 784, 16) == 0  # a second of work
    assert worthwhile(31_000, 784, 2) == 2
    assert worthwhile(31_000, 784, 16) == 8
    assert worthwhile(1_000_000, 784, 16) == 16
    assert worthwhile(31_000, 784, 1) == 0
