"""Many PNG files written beside the caller's work, by a process a core where that pays.

Python's own work on a small file is under its lock, so two threads take as long as one. The
processes know nothing but NumPy and `png`: they start in a fifth of a second.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from subprocess import PIPE
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from imbsynth.errors import UserError
from imbsynth.store import png

# A process is worth its start from about half a second of work on. Writing a file costs as much
# as compressing so many bytes of pixels (measured on MNIST and CIFAR-10 files):
A_FILE = 4000  # bytes
A_PROCESS = 16 << 20  # bytes
AHEAD = 2  # batches that wait for a writer

Write = Callable[[NDArray[np.uint8], Sequence[Path | str]], None]


def write_pngs(pixels: NDArray[np.uint8], paths: Sequence[Path | str]) -> None:
    """Write (n, c, h, w) uint8 images, gray or RGB, as PNG."""
    for data, path in zip(png.encoded(pixels), paths, strict=True):
        with open(path, "wb", buffering=0) as file:  # half the time of Path.write_bytes
            file.write(data)


@contextmanager
def png_writers(images: int, size: int, *, cores: int) -> Iterator[Write]:
    """A `write_pngs` that returns before the files are there: they are when the block ends well.

    images: how many there will be at most; size: bytes of pixels of each. An error, OSError as a
    rule, comes from a later call or at the end of the block.
    """
    writers = [_Process() for _ in range(worthwhile(images, size, cores))]
    idle: SimpleQueue[_Process] = SimpleQueue()
    for writer in writers:
        idle.put(writer)

    def work(pixels: NDArray[np.uint8], paths: Sequence[Path | str]) -> None:
        if not writers:
            return write_pngs(pixels, paths)
        writer = idle.get()
        try:
            writer.write(pixels, paths)
        finally:
            idle.put(writer)

    threads = max(1, len(writers))
    waiting: deque[Future[None]] = deque()
    pool = ThreadPoolExecutor(threads)

    def write(pixels: NDArray[np.uint8], paths: Sequence[Path | str]) -> None:
        waiting.append(pool.submit(work, pixels, paths))
        if len(waiting) > threads + AHEAD:
            waiting.popleft().result()

    try:
        yield write
        for batch in waiting:
            batch.result()
    finally:
        pool.shutdown(cancel_futures=True)
        for writer in writers:
            writer.end()


def worthwhile(images: int, size: int, cores: int) -> int:
    """How many processes so many images of so many bytes are worth; 0 if not even two."""
    processes = min(cores, images * (A_FILE + size) // A_PROCESS)
    return processes if processes > 1 else 0


class _Process:
    """Another Python that runs `serve`. It ends when its input does, so also when we are killed."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, sys.path))  # what we import, and no file beside us
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "imbsynth.store.png_writers"],
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # Ctrl-C is ours to answer
        )
        self.orders = cast("IO[bytes]", self.popen.stdin)
        self.answers = cast("IO[bytes]", self.popen.stdout)

    def write(self, pixels: NDArray[np.uint8], paths: Sequence[Path | str]) -> None:
        order = {"shape": pixels.shape, "paths": [str(path) for path in paths]}
        try:
            self.orders.write(json.dumps(order).encode() + b"\n")
            self.orders.write(np.ascontiguousarray(pixels).data)
            self.orders.flush()
            answer = self.answers.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            raise UserError(
                f"a process that wrote images ended (code {self.popen.wait()})",
                "was it killed, or the memory full? run the command again",
            )
        if error := json.loads(answer):
            raise OSError(*error)

    def end(self) -> None:
        self.popen.communicate()


def serve() -> None:
    """Write what comes on stdin: a line that tells shape and paths, then the pixels; and so on.

    Answers each with a line on stdout: null, or what the system said against it.
    """
    while line := sys.stdin.buffer.readline():
        order: dict[str, Any] = json.loads(line)
        size = math.prod(order["shape"])
        pixels = np.frombuffer(sys.stdin.buffer.read(size), np.uint8)
        if len(pixels) < size:
            return  # the other side was killed
        error = None
        try:
            write_pngs(pixels.reshape(order["shape"]), order["paths"])
        except OSError as refused:
            error = (refused.errno, refused.strerror, refused.filename)
        sys.stdout.write(json.dumps(error) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
