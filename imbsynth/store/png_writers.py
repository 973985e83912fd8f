"""Many PNG files written beside the caller's work, by one process per core where that pays.

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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from imbsynth.errors import UserError
from imbsynth.store import png

# A process is worth its start from about half a second of work on. Writing a file costs as much
# as compressing this many bytes of pixels (measured on MNIST and CIFAR-10 files):
BYTES_PER_FILE = 4000
BYTES_PER_PROCESS = 16 << 20
MOST_PROCESSES = 8  # one caller does not keep more of them busy
BYTES_PER_ORDER = 1 << 18  # of pixels handed over at once: little is in memory, or done in vain
AHEAD = 2  # orders that wait for a writer

Write = Callable[[NDArray[np.uint8], Sequence[Path]], None]
Paths = Sequence[Path | str]

SERVE = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from imbsynth.store.png_writers import serve; serve(*map(int, sys.argv[1:3]))"
)


def write_pngs(pixels: NDArray[np.uint8], paths: Paths) -> None:
    """Write (n, c, h, w) uint8 images, gray or RGB, as PNG."""
    for data, path in zip(png.encoded(pixels), paths, strict=True):
        with open(path, "wb", buffering=0) as file:  # half the time of Path.write_bytes
            rest = memoryview(data)
            while rest:  # a disk that fills up takes a part first
                rest = rest[file.write(rest) :]


@contextmanager
def png_writers(images: int, size: int, *, cores: int) -> Iterator[Write]:
    """A `write_pngs` that returns before the files are there: they are when the block ends well.

    images: how many there will be at most; size: bytes of pixels of each. An error, OSError as a
    rule, comes from a later call or at the end of the block.
    """
    with ExitStack() as stack:
        writers = _started(processes_for(images, size, cores), stack) or [_Here()]
        pool = stack.enter_context(ThreadPoolExecutor(len(writers)))
        idle: SimpleQueue[_Writer] = SimpleQueue()
        for writer in writers:
            idle.put(writer)
        waiting: deque[Future[None]] = deque()

        def work(pixels: NDArray[np.uint8], paths: Paths) -> None:
            writer = idle.get()
            try:
                writer.write(pixels, paths)
            finally:
                idle.put(writer)

        def write(pixels: NDArray[np.uint8], paths: Sequence[Path]) -> None:
            step = max(1, BYTES_PER_ORDER // pixels[0].nbytes) if len(pixels) else 1
            for first in range(0, len(pixels), step):
                part = slice(first, first + step)
                waiting.append(pool.submit(work, pixels[part], paths[part]))
                if len(waiting) > len(writers) + AHEAD:
                    waiting.popleft().result()

        try:
            yield write
            for order in waiting:
                order.result()
        except BaseException:
            for order in waiting:
                order.cancel()
            for writer in writers:
                writer.kill()
            raise


def processes_for(images: int, size: int, cores: int) -> int:
    """How many processes `images` images of `size` bytes are worth; 0 if fewer than two."""
    worth = images * (BYTES_PER_FILE + size) // BYTES_PER_PROCESS
    processes = min(cores, worth, MOST_PROCESSES)
    return processes if processes > 1 and sys.executable else 0


def _started(processes: int, stack: ExitStack) -> list[_Writer]:
    """That many, or as many as the system grants: fewer writers are only slower."""
    started: list[_Writer] = []
    for _ in range(processes):
        try:
            process = _Process()
        except OSError:
            break
        stack.callback(process.end)
        started.append(process)
    return started


class _Writer(Protocol):
    def write(self, pixels: NDArray[np.uint8], paths: Paths) -> None: ...

    def kill(self) -> None: ...


class _Here:
    """This process."""

    def write(self, pixels: NDArray[np.uint8], paths: Paths) -> None:
        write_pngs(pixels, paths)

    def kill(self) -> None:
        pass


class _Process:
    """Another Python that runs `serve`. It ends when its input does, so also when we are killed."""

    def __init__(self) -> None:
        answers, theirs = os.pipe()  # not stdout: whatever starts with Python may print there
        # What we import, in isolation: no file that lies in the current folder by chance.
        path = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
        threads = dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"], "1")
        try:
            self.popen = subprocess.Popen(
                [sys.executable, "-I", "-c", SERVE, str(theirs), str(os.getpid()), *path],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs],
                env=os.environ | threads,
                start_new_session=True,  # Ctrl-C is ours to answer
            )
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(theirs)
        self.orders = cast("IO[bytes]", self.popen.stdin)
        self.answers = open(answers, "rb")  # noqa: SIM115

    def write(self, pixels: NDArray[np.uint8], paths: Paths) -> None:
        order = {"shape": pixels.shape, "paths": [str(path) for path in paths]}
        try:
            self.orders.write(json.dumps(order).encode() + b"\n")
            self.orders.write(np.ascontiguousarray(pixels).data)
            self.orders.flush()
            answer = self.answers.readline()
        except BrokenPipeError:
            answer = b""  # it has ended: the code says how
        if not answer:
            self._explain(self.popen.wait())
        if error := json.loads(answer):
            raise OSError(*error)

    def _explain(self, code: int) -> None:
        if code < 0:
            raise UserError(
                f"a process that writes images was killed (signal {-code})",
                "was the memory full? run the command again",
            )
        raise RuntimeError(f"a process that writes images failed (code {code}); see above")

    def kill(self) -> None:
        self.popen.kill()

    def end(self) -> None:
        """Wait until it has."""
        self.popen.communicate()
        self.answers.close()


def serve(answers: int, parent: int) -> None:
    """Write what comes on stdin: a line that tells shape and paths, then the pixels; and so on.

    Answers each with a line to the descriptor: null, or what the system said against it. Once the
    parent (its process number) is gone, nothing more is written: its folder may be another's.
    """
    while (line := sys.stdin.buffer.readline()) and os.getppid() == parent:
        order = json.loads(line)
        size = math.prod(order["shape"])
        pixels = np.frombuffer(sys.stdin.buffer.read(size), np.uint8)
        if len(pixels) < size:
            return  # the other side was killed
        error = None
        try:
            write_pngs(pixels.reshape(order["shape"]), order["paths"])
        except OSError as refused:
            error = (refused.errno, refused.strerror, refused.filename)
        try:
            os.write(answers, json.dumps(error).encode() + b"\n")
        except BrokenPipeError:
            return  # likewise
