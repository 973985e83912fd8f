"""What a command costs, run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

IMBSYNTH = [sys.executable, "-m", "imbsynth"]


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    processor: float  # seconds, of all threads
    mib: float  # at the peak


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command, which must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    seconds = time.perf_counter() - start
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
