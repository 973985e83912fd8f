"""JSON in and out: how an output was made, and what each synthetic image is made of."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from imbsynth import __version__
from imbsynth.errors import UserError
from imbsynth.store.outputs import RECORD

MANIFEST = "manifest.jsonl"
SAMPLES = "samples.png"
# How a run is carried out and where it goes, not what comes out of it.
_LEFT_OUT = ("force", "resume", "dst", "out")

# What PyYAML lets through, besides its own error, for text that is no YAML or makes no sense as its
# tag says (`!!int x`).
_NOT_COUNTS = (
    yaml.YAMLError,
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    RecursionError,
)


def provenance(
    command: str,
    config: Any,
    *,
    inputs: dict[str, str],
    libraries: Sequence[str],
    resolved: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """How an output was made: command, configuration, versions, digests of the inputs.

    `resolved` says what an option like "auto" came to. Without clock, host or folder names above
    the inputs, so that the same run gives the same bytes anywhere.
    """
    return {
        "command": command,
        "config": {**settings(config), **resolved},
        "inputs": inputs,
        "versions": {
            "imbsynth": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
    }


def settings(config: Any) -> dict[str, Any]:
    """A config as JSON values; of paths only the last part."""
    values = {f.name: getattr(config, f.name) for f in fields(config) if f.name not in _LEFT_OUT}
    return {
        name: value.absolute().name if isinstance(value, Path) else value
        for name, value in values.items()
    }


def digest_of(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write run.json, the last file of an output folder."""
    (folder / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines."""
    with open(path, "w", encoding="ascii") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; UserError if the file holds something else."""
    rows = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no object")
            rows.append(row)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: not a file of JSON lines ({error})", "restore it, or make it again"
        ) from None
    return rows


def read_counts(path: Path) -> dict[str, int]:
    """{class: images} out of a YAML or JSON file; UserError if it holds something else."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except _NOT_COUNTS as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: cannot be read as YAML or JSON ({reason})",
            "write one line a class, like `cat: 100`",
        ) from None
    wrong = not isinstance(loaded, dict) or not loaded
    if wrong or any(type(n) is not int or n < 0 for n in loaded.values()):
        raise UserError(
            f"{path}: not a list of class sizes",
            "write one line a class, a name and a whole number, like `cat: 100`",
        )
    # A class called 7 or `no` is not text in YAML; 007 would be lost, so quote such names.
    return {str(name): n for name, n in loaded.items()}


def as_json(report: Any) -> str:
    """A report as one JSON object."""
    return json.dumps(asdict(report), default=str)
