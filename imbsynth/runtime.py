"""Random streams, device, precision and interruption: decided here and nowhere else."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from imbsynth.errors import Interrupted, UserError

if TYPE_CHECKING:
    import torch
    from torch import nn

    Module = TypeVar("Module", bound=nn.Module)


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """Random stream named by `path`: a new class, step or worker never shifts another stream.

    The name is hashed with its part boundaries, so ("a", "bc") and ("ab", "c") differ, and to
    128 bits, so that two class names do not meet by accident.
    """
    name = "\0".join(f"{type(part).__name__}:{part}" for part in path)
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    key = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of every so many


def worker_count() -> int:
    """CPU cores that this process may use."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        quota, period = CGROUP_LIMIT.read_text(encoding="ascii").split()
        return min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores  # no container, or one without a limit ("max")


def initialised(build: Callable[[], Module], seed: int) -> Module:
    """Build a module with seeded weights, leaving torch's global generator untouched."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


@contextmanager
def seeded(device: torch.device, seed: int, *path: str | int) -> Iterator[None]:
    """Within, torch's global generators (of dropout) draw from the stream named by `path`."""
    import torch

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(stream(seed, *path).integers(2**63)))
        yield


def resolve_device(name: str) -> torch.device:
    """The device called `name`; "auto" is CUDA when present. A named device is never replaced."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    if index >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise UserError(
            f"--device {name}: this machine has {found} CUDA devices",
            "use --device auto or --device cpu",
        )
    return torch.device("cuda", index)


def resolve_precision(name: str, device: torch.device) -> str:
    """ "fp32" or "bf16"; "auto" is bf16 where the hardware multiplies in it."""
    import torch

    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _cpu_multiplies_bf16() else "fp32"


def _cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bf16 matrix instructions (AMX, or AVX-512 BF16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False  # not Linux: no way to ask, and fp32 is always right
    return "amx_bf16" in flags or "avx512_bf16" in flags


@contextmanager
def arithmetic(device: torch.device, precision: str) -> Iterator[None]:
    """Deterministic kernels, and matrix products in `precision` ("fp32" or "bf16")."""
    import torch
    from torch.utils import deterministic

    filled = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if device.type == "cuda":
        # cuBLAS reads it when its handle is made; without it two runs may round differently.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory before it is written; filling it took 10 % of a training step.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


ONE_REQUEST = 2.0  # seconds in which further signals are taken for the same request


class StopRequest:
    """Set when SIGINT or SIGTERM has arrived; `check` ends the run at a safe point."""

    signal_number: int | None = None
    arrived = 0.0  # when, by the monotonic clock

    def check(self, save: Callable[[], None]) -> None:
        """Raise Interrupted, after `save`, if a signal has arrived."""
        if self.signal_number is not None:
            save()
            raise Interrupted(self.signal_number)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; a later one acts as it did before.

    Two in a row are one: make and batch systems signal the whole group, then each process.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # signals are the main thread's affair
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def on_signal(number: int, _frame: object) -> None:
        if request.signal_number is None:
            request.signal_number, request.arrived = number, time.monotonic()
        elif time.monotonic() - request.arrived > ONE_REQUEST:
            restore()
            os.kill(os.getpid(), number)

    for number in previous:
        signal.signal(number, on_signal)
    try:
        yield request
    finally:
        restore()
