"""How much memory is free, and how much of it images and what is computed of them may take."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

UNTOLD = 4 << 30  # bytes of memory, where the system does not tell: what a small machine has
USUAL = "50%"  # of the free memory
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}

MEMINFO = Path("/proc/meminfo")
OWN_GROUPS = Path("/proc/self/cgroup")  # lines like "4:memory:/jobs/17", or "0::/jobs/17"
GROUPS = Path("/sys/fs/cgroup")
# Limit, use, and what the group's statistics call file contents, which make room when needed.
_FIRST_VERSION = ("memory.limit_in_bytes", "memory.usage_in_bytes", r"total_(?:in)?active_file")
_SECOND_VERSION = ("memory.max", "memory.current", r"(?:in)?active_file")


class _Limit:
    """Bytes that may still be taken."""

    def __init__(self, left: int) -> None:
        self.left = left

    def change(self, by: int) -> None:
        self.left += by


_limits: list[_Limit] = []  # the innermost block of `limited` is last


@contextmanager
def limited(size: int) -> Iterator[None]:
    """A block in which images, with what is kept of them, take at most `size` bytes of memory."""
    limit = _Limit(size)
    _limits.append(limit)
    try:
        yield
    finally:
        _limits.remove(limit)


def room() -> int:
    """Bytes that may be taken still; outside of `limited`, half of the free memory."""
    return _limits[-1].left if _limits else limit_of(USUAL)


def in_memory(shape: Sequence[int], dtype: DTypeLike = np.uint8) -> NDArray[Any] | None:
    """Uninitialised rows, which count until they are freed; None if there is no room for them."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size > room():
        return None
    array = np.empty(shape, dtype)
    if _limits:
        _limits[-1].change(-size)
        weakref.finalize(array, _limits[-1].change, size).atexit = False
    return array


def limit_of(memory: str, processes: int = 1) -> int:
    """Bytes that a value of `--memory` stands for.

    A share is one of the free memory, which the processes of this machine divide equally; a size
    is that of each process.
    """
    number, unit = re.fullmatch(r"([0-9.]+) ?([a-zA-Z]+|%)", memory).groups()  # type: ignore[union-attr]
    if unit != "%":
        return int(float(number) * _UNITS[unit.upper()])
    free = free_memory()
    return int((UNTOLD if free is None else free) * float(number) / 100) // processes


def free_memory() -> int | None:
    """Bytes that can be taken without anything being killed; None where no one tells (macOS)."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", _text(MEMINFO), re.MULTILINE)
    machine = [int(found[1]) * 1024] if found else []
    return min([*machine, *_left_in_groups()], default=None)


def _left_in_groups() -> Iterator[int]:
    for line in _text(OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = GROUPS, _SECOND_VERSION
        elif "memory" in controllers.split(","):
            root, names = GROUPS / "memory", _FIRST_VERSION
        else:
            continue
        # In a container the path may be that of the host: then only the root is there.
        own = root / path.strip("/")
        for folder in (own, *own.parents[: len(own.parts) - len(root.parts)]):
            yield from _left(folder, *names)


def _left(folder: Path, limit: str, used: str, files: str) -> Iterator[int]:
    """What a group may still take, if it has a limit."""
    numbers = [_text(folder / name).strip() for name in (limit, used)]
    if all(number.isdecimal() for number in numbers):  # "max" is no limit
        counts = re.findall(rf"^{files} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
        yield max(0, int(numbers[0]) - int(numbers[1]) + sum(map(int, counts)))


def _text(path: Path) -> str:
    """The text of a file of the system; "" where there is none."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
