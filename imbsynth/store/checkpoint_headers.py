"""The headers of checkpoints, which say what they are and how they were made; without PyTorch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from imbsynth.errors import UserError, option
from imbsynth.store.fields import Wrong, as_mapping, finite, mapping, parsed, text
from imbsynth.store.folders import open_regular
from imbsynth.store.names import printable

KEY = "imbsynth"  # the one entry of the header: its order could not be relied on with more
CHOSEN_HEAD = "chosen_head"  # of a classifier: "name", and the "scores" of each head by its name
_SEAL = "header"  # in that entry: the digest of the rest of it


def read_header(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, "kind" among it; UserError for any other file."""
    with readable(path, "imbsynth", "numpy") as file:
        return header_of(file)


def command_of(path: Path) -> str:
    """The command that wrote a checkpoint or a state; "" if it does not say."""
    made_by = read_header(path).get("made_by")
    command = made_by.get("command") if isinstance(made_by, dict) else None
    return printable(command) if isinstance(command, str) else ""


def kept_scores(
    checkpoint: Path, header: Mapping[str, Any], line: Mapping[str, Any], names: Sequence[str]
) -> dict[str, float]:
    """What the validation images say of the classifier in a checkpoint, in [0, 1].

    line: of the log, for the epoch that was kept. A head that was chosen afterwards has scores of
    its own in the header. UserError if a score is missing.
    """
    try:
        scores = line
        if CHOSEN_HEAD in header:
            chosen = mapping(header, CHOSEN_HEAD)
            scores = mapping(mapping(chosen, "scores"), text(chosen, "name"))
        return {name: finite(scores, name, 0, 1) for name in names}
    except Wrong as error:
        raise UserError(
            f"{checkpoint}: its scores on the validation images are damaged ({error})",
            f"train again with {option('force')}",
        ) from None


@contextmanager
def opened(path: Path, framework: str) -> Iterator[Any]:
    """The file, for reading; by its descriptor if its name is not UTF-8, as safetensors needs."""
    with open_regular(path) as file:
        try:
            name = str(path)
            name.encode()
        except UnicodeEncodeError:
            name = f"/dev/fd/{file.fileno()}"
        with safe_open(name, framework=framework) as tensors:
            yield tensors


@contextmanager
def readable(path: Path, writer: str, framework: str) -> Iterator[Any]:
    """`opened`, with a UserError for what is no checkpoint. writer: who would write one."""
    made_by = f"pass a file written by {writer}"
    if path.is_dir():
        raise UserError(f"{path}: a folder, not a checkpoint", made_by)
    try:
        with opened(path, framework) as file:
            yield file
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", made_by) from None
    except (SafetensorError, OSError, Wrong) as error:
        told = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = told.splitlines()[0]
        raise UserError(f"{path}: not an imbsynth checkpoint ({reason})", made_by) from None


def header_of(file: Any) -> dict[str, Any]:
    """The JSON object in an opened checkpoint; Wrong if it is not as ours are."""
    meta = as_mapping(parsed(text(file.metadata() or {}, KEY)), "its header")
    text(meta, "kind")  # every header of ours has it
    if meta.pop(_SEAL, None) not in (None, _digest(meta)):  # None: an older version wrote none
        raise Wrong("its header is not the one that was written: the file is damaged")
    return meta


def header_with(meta: Mapping[str, Any]) -> dict[str, str]:
    """The header of a checkpoint that says `meta`, JSON values."""
    return {KEY: json.dumps({**meta, _SEAL: _digest(meta)}, sort_keys=True)}


def _digest(meta: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()
