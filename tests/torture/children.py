"""Commands in processes of their own, forked from one that has loaded torch: half a second each."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from tests.rights import permissions_hold
from tests.torture.bench import SECONDS

# One thread: there is nothing to share, and nothing that a fork could break.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "imbsynth.cli",
        "imbsynth.engine.imbalance",
        "imbsynth.engine.split",
        "imbsynth.engine.train_ae",
        "imbsynth.engine.train_generator",
        "imbsynth.engine.generate",
        "imbsynth.engine.aos_train",
        "imbsynth.engine.evaluate",
        "torchvision.models",
        "matplotlib.figure",
        "matplotlib.backends.backend_agg",
    ]
)


class Limits(NamedTuple):
    """What a child may do."""

    file_size: int | None = None  # bytes: writing more fails as on a full disk
    permissions: bool = False  # hold for it, even if we are root
    save_every: float = 60.0  # seconds between the states of a training run
    png_processes: bool = False  # write images in processes, however few


FREE = Limits()


def _child(arguments: list[str], log: str, limits: Limits) -> None:
    """Be `imbsynth ARGUMENTS`, with both outputs in a file."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["imbsynth", *arguments]
    from imbsynth.cli import main
    from imbsynth.engine.training import loop
    from imbsynth.store import png_writers

    loop.SAVE_EVERY = limits.save_every
    if limits.png_processes:
        png_writers.BYTES_PER_PROCESS = 1
    if limits.file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
    with permissions_hold() if limits.permissions else nullcontext():
        main()


class Child:
    """A running command."""

    def __init__(self, arguments: list[object], log: Path, limits: Limits = FREE) -> None:
        self.log = log
        texts = [str(argument) for argument in arguments]
        self.process: ForkServerProcess = _FORKS.Process(
            target=_child, args=(texts, str(log), limits), daemon=True
        )
        self.process.start()

    def said(self) -> str:
        """Both outputs so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for(self, seen: Callable[[str], bool]) -> None:
        """Until its output is as wished, or it has ended."""
        deadline = time.monotonic() + SECONDS
        while self.process.is_alive() and not seen(self.said()):
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.002)  # for the process to come that far

    def end_after(self, seconds: float, number: int) -> None:
        """Send a signal after so many seconds, unless it has ended by then."""
        self.process.join(seconds)
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)

    def wait(self) -> int:
        """Its exit code; minus the signal that killed it."""
        self.process.join(SECONDS)
        assert self.process.exitcode is not None, f"hangs: {self.said()}"
        return self.process.exitcode


def run(arguments: list[object], log: Path, limits: Limits = FREE) -> int:
    """Run a command to its end; its exit code."""
    return Child(arguments, log, limits).wait()
