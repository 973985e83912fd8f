"""How much memory is free: what the machine has, and what the process's control groups allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
OWN_GROUPS = Path("/proc/self/cgroup")  # lines like "4:memory:/jobs/17", or "0::/jobs/17"
GROUPS = Path("/sys/fs/cgroup")
# Limit, use, and what the group's statistics call file contents, which make room when needed.
_FIRST_VERSION = ("memory.limit_in_bytes", "memory.usage_in_bytes", r"total_(?:in)?active_file")
_SECOND_VERSION = ("memory.max", "memory.current", r"(?:in)?active_file")


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
