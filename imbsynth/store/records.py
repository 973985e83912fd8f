"""JSON in and out: how an output was made, and what each synthetic image is made of."""

from __future__ import annotations

import csv
import json
import platform
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from imbsynth import __version__
from imbsynth.errors import UserError
from imbsynth.options import recorded
from imbsynth.store.fields import Wrong, as_mapping, parsed
from imbsynth.store.folders import is_digest, read_bytes, read_regular
from imbsynth.store.inventory import inventory
from imbsynth.store.outputs import OUTPUTS, RECORD
from imbsynth.store.plain_yaml import read_texts, text_of

MANIFEST = "manifest.jsonl"
ENCODED = "autoencoder-images.txt"  # of a generated folder: digests, one per line
SAMPLES = "samples.png"
MOVED = "moved.jsonl"  # of a generated folder: the images that a sampler pushed aside
RECALLS, INTERVALS, RECONSTRUCTIONS = "recalls.png", "acsa.png", "reconstructions.png"
RELIABILITY, PRECISION_RECALL = "reliability.png", "precision_recall.png"
MISTAKES, SALIENCY = "mistakes.png", "saliency.png"
PREDICTION_LINES = "predictions.jsonl"
LEAST_CERTAIN, MOST_CERTAIN = "least_certain.png", "most_certain.png"
SPREADS, ROBUSTNESS = "spreads.png", "robustness.png"
AUDIT, AUDIT_PICTURES = "audit.json", "audit.png"
METRICS, PREDICTIONS, CONFUSION = "metrics.json", "predictions.csv", "confusion.png"
LEFT_OUT = "left_out"  # of a record: files of its input folders that were not used
# How a run is carried out and where it goes, not what comes out of it.
_NOT_RECORDED = (
    "force",
    "resume",
    "cache",
    "memory",
    "dst",
    "out",
    "sort_into",
    "tensorboard",
    "track",
)


def provenance(
    command: str,
    config: Any,
    *,
    inputs: dict[str, str],
    libraries: Sequence[str],
    resolved: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """How an output was made: command, configuration, versions, digests of the inputs.

    `resolved` has the values chosen for options like "auto", and None for those that are not used.
    There is no clock, host or folder name above the inputs in it, so that the same run gives the
    same bytes anywhere; where torch computes, with the same number of threads.
    """
    record = {
        "command": command,
        "config": {**settings(config), **resolved},
        "inputs": inputs,
        "versions": {
            "imbsynth": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
    }
    return {**record, "threads": _threads()} if "torch" in libraries else record


def left_out(unreadable: Sequence[str], whole: str) -> dict[str, Any]:
    """What a record says, under LEFT_OUT, of an input folder not all of which was used.

    `inputs` has the digest of what was used. whole: that of the folder, by which the record of what
    made it can be found; "" if it is not known.
    """
    return {"unreadable": list(unreadable), "folder": whole}


def _threads() -> int:
    """How many threads torch computes with: another number rounds sums in another order."""
    import torch

    return torch.get_num_threads()


def settings(config: Any) -> dict[str, Any]:
    """A config as JSON values; of paths only the last part."""
    return {
        name: _last_part(value)
        for name, value in recorded(config).items()
        if name not in _NOT_RECORDED
    }


def _last_part(value: Any) -> Any:
    if isinstance(value, list):
        return [_last_part(item) for item in value]
    return value.absolute().name if isinstance(value, Path) else value


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write run.json, the last file of an output folder, with an inventory of the others."""
    write_json(folder / RECORD, {**record, OUTPUTS: inventory(folder, apart=RECORD)})


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON object, one key per line."""
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; UserError if the file holds something else."""
    try:
        return as_mapping(parsed(read_bytes(path)), "it")
    except (OSError, Wrong) as error:
        raise UserError(
            f"{path}: not a JSON object ({error})", "restore it, or make it again"
        ) from None


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file."""
    with row_writer(path, header) as write_row:
        for row in rows:
            write_row(row)


def read_table(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """These columns of a CSV file, a list per row; UserError if it does not have them."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            places = [header.index(name) for name in columns]
            return [[row[place] for place in places] for row in rows]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise UserError(
            f"{path}: not a table of {', '.join(columns)} ({error})",
            "restore it, or make it again",
        ) from None


@contextmanager
def row_writer(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[object]], None]]:
    """A function that writes one row of a CSV file per call; names keep their bytes."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)

        def write_row(row: Sequence[object]) -> None:
            writer.writerow(row)

        yield write_row


@contextmanager
def line_writer(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that writes one object per call, as a JSON line."""
    with open(path, "w", encoding="ascii") as file:

        def write_line(row: dict[str, Any]) -> None:
            file.write(json.dumps(row) + "\n")

        yield write_line


def append_files(path: Path, *others: Path) -> None:
    """Move what other files hold to the end of a file."""
    with open(path, "ab") as whole:
        for other in others:
            with open(other, "rb") as file:
                shutil.copyfileobj(file, whole)
            other.unlink()


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines."""
    with line_writer(path) as write_line:
        for row in rows:
            write_line(row)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; UserError if the file holds something else."""
    rows = []
    try:
        for number, line in enumerate(_lines(path), 1):
            rows.append(as_mapping(parsed(line), f"line {number}"))
    except (OSError, UnicodeDecodeError, Wrong) as error:
        raise UserError(
            f"{path}: not a file of JSON lines ({error})", "restore it, or make it again"
        ) from None
    return rows


def _lines(path: Path) -> list[str]:
    """The lines of a text; JSON may hold other characters at which Python splits lines."""
    text = read_bytes(path).decode("utf-8")
    return text.removesuffix("\n").split("\n") if text else []


def write_digests(path: Path, digests: Iterable[str]) -> None:
    """Write a set of digests, one per line."""
    path.write_text("".join(f"{digest}\n" for digest in sorted(set(digests))))


def read_digests(path: Path) -> set[str]:
    """Read a set of digests; UserError if the file holds something else."""
    found = read_regular(path).decode("ascii", "replace").split("\n")
    if found.pop() or not all(map(is_digest, found)):
        raise UserError(f"{path}: not a list of digests", "restore it, or make it again")
    return set(found)


def read_counts(path: Path) -> dict[str, int]:
    """{class: images} out of a YAML or JSON file; UserError if it holds something else.

    Read without YAML's guesses at types: a class may be called 007, no, or 2024-01-01.
    """
    try:
        sizes = read_texts(text_of(path))
        if not sizes:
            raise ValueError("nothing in it")
        return {name: _whole(n) for name, n in sizes.items()}
    except ValueError as error:
        raise UserError(
            f"{path}: not a list of class sizes ({error})",
            "write one line per class, a name and a whole number, like `cat: 100`",
        ) from None


def _whole(text: object) -> int:
    if isinstance(text, str) and re.fullmatch("[0-9]{1,15}", text):
        return int(text)
    raise ValueError(f"{str(text)[:80]!r} is not a number of images")


def as_json(report: Any) -> str:
    """A report as one JSON object."""
    return json.dumps(asdict(report), default=str)
