"""Random streams, devices, precision, interruption, processes: decided here and nowhere else."""

from __future__ import annotations

from imbsynth.runtime.devices import (
    arithmetic,
    resolve_device,
    resolve_precision,
    worker_count,
)
from imbsynth.runtime.interruption import StopRequest, resumable, stop_request
from imbsynth.runtime.launch import Launched, check_alone, first_to_say, joined, launched
from imbsynth.runtime.streams import initialised, seeded, stream
from imbsynth.runtime.world import ALONE, World, current_world

__all__ = [
    "ALONE",
    "Launched",
    "StopRequest",
    "World",
    "arithmetic",
    "check_alone",
    "current_world",
    "first_to_say",
    "initialised",
    "joined",
    "launched",
    "resolve_device",
    "resolve_precision",
    "resumable",
    "seeded",
    "stop_request",
    "stream",
    "worker_count",
]
