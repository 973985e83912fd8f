"""Checkpoints: tensors in safetensors, everything else as JSON in its header. No pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong, as_mapping, parsed, text
from imbsynth.store.folders import open_regular
from imbsynth.store.names import printable
from imbsynth.store.outputs import new_file

_KEY = "imbsynth"  # the one entry of the header: its order could not be relied on with more
_DIGEST = "tensors"  # in that entry: the digest of the tensors


class Checkpoint(NamedTuple):
    """Named tensors and what they are."""

    tensors: dict[str, Tensor]
    meta: dict[str, Any]  # JSON values; "kind" says what the tensors are


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()
    }
    meta = {**checkpoint.meta, _DIGEST: _digest(tensors)}
    header = {_KEY: json.dumps(meta, sort_keys=True)}
    with new_file(path) as part:
        part.write_bytes(save(tensors, header))  # save_file would hide it from other users


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and values, hexadecimal: a flipped bit can leave a plausible number."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, for reading; by its descriptor if its name is not UTF-8, as safetensors needs."""
    with open_regular(path) as file:
        try:
            name = str(path)
            name.encode()
        except UnicodeEncodeError:
            name = f"/dev/fd/{file.fileno()}"
        with safe_open(name, framework="pt") as tensors:
            yield tensors


def is_checkpoint(path: Path) -> bool:
    """Whether imbsynth wrote the file."""
    try:
        with _opened(path) as file:
            return _KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def kind_of(path: Path) -> str:
    """What the tensors of a checkpoint are, by its header; UserError for any other file."""
    return str(_read(path, "imbsynth", tensors=False).meta["kind"])


def command_of(path: Path) -> str:
    """The command that wrote a checkpoint or a state; "" if it does not say."""
    made_by = _read(path, "imbsynth", tensors=False).meta.get("made_by")
    command = made_by.get("command") if isinstance(made_by, dict) else None
    return printable(command) if isinstance(command, str) else ""


def load_checkpoint(path: Path, kind: str) -> Checkpoint:
    """Read a checkpoint of one kind; UserError for any other file, and for a damaged one."""
    tensors, meta = _read(path, kind, tensors=True)
    if meta["kind"] != kind:
        shown = printable(str(meta["kind"]))[:80]
        raise UserError(
            f"{path}: a checkpoint of {shown}, not of {kind}", f"pass a file written by {kind}"
        )
    if meta.pop(_DIGEST, None) not in (
        None,
        _digest(tensors),
    ):  # None: an older version wrote no digest
        raise UserError(
            f"{path}: its tensors are not those that were written: the file is damaged",
            "make it again, or restore it",
        )
    return Checkpoint(tensors, meta)


def _read(path: Path, writer: str, *, tensors: bool) -> Checkpoint:
    """The header and, if they are wanted, the tensors, unchecked."""
    made_by = f"pass a file written by {writer}"
    if path.is_dir():
        raise UserError(f"{path}: a folder, not a checkpoint", made_by)
    try:
        with _opened(path) as file:
            meta = as_mapping(parsed(text(file.metadata() or {}, _KEY)), "its header")
            text(meta, "kind")  # every header of ours has it
            names = file.keys() if tensors else []
            return Checkpoint({name: file.get_tensor(name) for name in names}, meta)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", made_by) from None
    except (SafetensorError, OSError, Wrong) as error:
        told = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = told.splitlines()[0]
        raise UserError(f"{path}: not an imbsynth checkpoint ({reason})", made_by) from None


def check_tensors(path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise UserError unless the tensors are the expected ones, with finite numbers in them.

    `expected` may live on torch's meta device, so that absurd sizes cost no memory.
    """

    def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Any, ...]]:
        return {name: (tuple(value.shape), value.dtype) for name, value in tensors.items()}

    here, there = shapes(found), shapes(expected)
    wrong = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if wrong:
        raise UserError(
            f"{path}: {len(wrong)} of its tensors do not fit its own header, "
            f"the first: {printable(wrong[0])}",
            "the file is damaged or was edited: make it again",
        )
    infinite = sorted(name for name, value in found.items() if not value.isfinite().all())
    if infinite:
        raise UserError(
            f"{path}: numbers out of range in {len(infinite)} of its tensors, the first: "
            f"{printable(infinite[0])}",
            "the file is damaged, or its training diverged: make it again",
        )
