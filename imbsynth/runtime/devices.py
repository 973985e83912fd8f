"""Processor cores, devices, and the precision of arithmetic on them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imbsynth.errors import UserError, option
from imbsynth.runtime.launch import launched

if TYPE_CHECKING:
    import torch

CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # a container's: "QUOTA PERIOD" in microseconds


def worker_count() -> int:
    """The number of CPU cores that this process may use: its share, where it is one of several."""
    place = launched()
    return max(1, _cores() // (place.local_size if place else 1))


def _cores() -> int:
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        quota, period = CGROUP_LIMIT.read_text(encoding="ascii").split()
        return min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores  # no container, or one without a limit ("max")


def resolve_device(name: str) -> torch.device:
    """The device called `name`; "auto" is CUDA where there is one.

    A device that was named is never replaced by another: UserError if it is missing. Each of
    several processes takes a CUDA device of its own.
    """
    import torch

    place = launched()
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if name == "auto" and place is None:
        return torch.device("cuda")
    number = name.partition(":")[2]
    if number and place is not None:
        raise UserError(
            f"{option('device')} {name} is one device, and there are {place.size} processes",
            f"use {option('device')} cuda: each process takes one",
        )
    index = int(number or (place.local_rank if place else 0))
    found = torch.cuda.device_count()
    if index >= found:
        raise UserError(
            f"{option('device')} {name}: this machine has {found} CUDA devices",
            f"start one process per device, or use {option('device')} cpu"
            if place and found
            else f"use {option('device')} auto or {option('device')} cpu",
        )
    return torch.device("cuda", index)


def resolve_precision(name: str, device: torch.device) -> str:
    """ "fp32" or "bf16"; "auto" is bf16 where the hardware multiplies matrices in bf16."""
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
        return False  # not Linux: there is no way to ask, and fp32 always works
    return "amx_bf16" in flags or "avx512_bf16" in flags


@contextmanager
def arithmetic(device: torch.device, precision: str) -> Iterator[None]:
    """Within the block: deterministic kernels, and matrix products in "fp32" or "bf16"."""
    import torch
    from torch.utils import deterministic

    filled = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if device.type == "cuda":
        # cuBLAS reads it when its handle is made; without it two runs may round differently.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No code here reads memory before writing it; filling it took 10 % of a training step.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        # Without its cache, which would go on with old weights after a step within the block.
        bf16 = precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16, cache_enabled=False):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
