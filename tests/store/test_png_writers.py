from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imbsynth.errors import UserError
from imbsynth.store import png_writers as module
from imbsynth.store.png_writers import png_writers, processes_for, write_pngs

BATCHES = [
    np.random.default_rng(seed).integers(0, 256, (5, 3, 6, 4), np.uint8) for seed in range(8)
]
BYTES = 3 * 6 * 4


@pytest.fixture(autouse=True)
def processes_always_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_PER_PROCESS", 1)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that are started in the test."""
    processes: list[Any] = []

    class Watched(module._Process):
        def __init__(self) -> None:
            super().__init__()
            processes.append(self.popen)

    monkeypatch.setattr(module, "_Process", Watched)
    return processes


def names(batch: int) -> list[str]:
    return [f"{batch}-{number}.png" for number in range(5)]


def write_all(folder: Path, cores: int, between: Callable[[], None] = lambda: None) -> None:
    with png_writers(40, BYTES, cores=cores) as write:
        for number, pixels in enumerate(BATCHES):
            write(pixels, [folder / name for name in names(number)])
            between()


@pytest.mark.parametrize("order", [1, 2 * BYTES, 1 << 18])
@pytest.mark.parametrize("cores", [1, 3])
def test_threads_and_processes_write_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Any], cores: int, order: int
) -> None:
    monkeypatch.setattr(module, "BYTES_PER_ORDER", order)
    plain, odd = tmp_path / "plain", tmp_path / "a b\udcff\n"  # a name of any bytes
    plain.mkdir()
    odd.mkdir()
    write_all(odd, cores)
    assert len(started) == (cores if cores > 1 else 0)
    assert all(process.returncode == 0 for process in started)
    for number, pixels in enumerate(BATCHES):
        write_pngs(pixels, [plain / name for name in names(number)])
        for name in names(number):
            assert (odd / name).read_bytes() == (plain / name).read_bytes()
    assert len(list(odd.iterdir())) == 40


def test_an_empty_batch_is_nothing(tmp_path: Path) -> None:
    with png_writers(40, BYTES, cores=2) as write:
        write(BATCHES[0][:0], [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cores", [1, 2])
def test_what_the_system_says_against_a_file_comes_back(tmp_path: Path, cores: int) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        write_all(tmp_path / "nowhere", cores)
    assert refused.value.errno == errno.ENOENT
    assert str(refused.value.filename).startswith(str(tmp_path / "nowhere" / "0-"))


def test_a_disk_that_takes_a_part_of_a_file_is_full(tmp_path: Path) -> None:
    code = (
        "import resource, sys; import numpy as np; from pathlib import Path\n"
        "from imbsynth.store.png_writers import write_pngs\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "pixels = np.random.default_rng(0).integers(0, 256, (1, 1, 100, 100), np.uint8)\n"
        "try: write_pngs(pixels, [Path(sys.argv[1])])\n"
        "except OSError as error: sys.exit(error.errno)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")])
    assert ended.returncode == errno.EFBIG


def test_an_error_comes_before_all_is_handed_over(tmp_path: Path, started: list[Any]) -> None:
    handed: list[None] = []
    with pytest.raises(FileNotFoundError):
        write_all(tmp_path / "nowhere", 2, lambda: handed.append(None))
    assert len(handed) < len(BATCHES)
    assert all(process.returncode is not None for process in started)


def test_whoever_leaves_early_leaves_no_process(tmp_path: Path, started: list[Any]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_all(tmp_path, 2, interrupt)
    assert len(started) == 2
    assert all(process.returncode == -signal.SIGKILL for process in started)


def test_a_killed_writer_is_told_of(tmp_path: Path, started: list[Any]) -> None:
    def kill() -> None:
        for process in started:
            process.kill()

    with pytest.raises(UserError, match=r"killed \(signal 9\)"):
        write_all(tmp_path, 2, kill)


def test_a_bug_in_a_writer_is_no_fault_of_the_user(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"failed \(code 1\)"),
        png_writers(40, BYTES, cores=2) as write,
    ):
        write(BATCHES[0], [tmp_path / "no\0name"] * 5)


def test_where_no_process_can_be_started_there_is_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    write_all(tmp_path, 2)
    assert len(list(tmp_path.iterdir())) == 40


def test_files_in_the_current_folder_are_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "numpy", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "made").mkdir()
    write_all(tmp_path / "made", 2)
    assert len(list((tmp_path / "made").iterdir())) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_writers_end_with_the_process_that_was_killed() -> None:
    code = (
        "import time; from imbsynth.store import png_writers as m; m.BYTES_PER_PROCESS = 1\n"
        "class Told(m._Process):\n"
        "    def __init__(self): super().__init__(); print(self.popen.pid, flush=True)\n"
        "m._Process = Told\n"
        "with m.png_writers(40, 72, cores=2): time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        children = [int(parent.stdout.readline()) for _ in range(2)] if parent.stdout else []
        parent.kill()
    deadline = time.monotonic() + 30
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_for_what_is_worth_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_PER_PROCESS", 16 << 20)
    assert processes_for(0, 784, 16) == 0
    assert processes_for(5_000, 784, 16) == 0  # a second of work
    assert processes_for(31_000, 784, 2) == 2
    assert processes_for(1_000_000, 784, 64) == 8
    assert processes_for(31_000, 784, 1) == 0
    monkeypatch.setattr(sys, "executable", None)
    assert processes_for(31_000, 784, 2) == 0
