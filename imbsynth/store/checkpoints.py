"""Checkpoints: tensors in safetensors, everything else as JSON in its header. No pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from imbsynth.errors import UserError, option
from imbsynth.store.checkpoint_headers import KEY, header_of, header_with, opened, readable
from imbsynth.store.names import printable
from imbsynth.store.outputs import new_file

UNFINISHED = "state of a run"  # the kind of checkpoint that is gone once the run is complete
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
    with new_file(path) as part:
        part.write_bytes(
            save(tensors, header_with(meta))
        )  # save_file would hide it from other users


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names and values, hexadecimal: a flipped bit can leave a plausible number."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def is_checkpoint(path: Path) -> bool:
    """Whether imbsynth wrote the file."""
    try:
        with opened(path, "pt") as file:
            return KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def load_checkpoint(path: Path, kind: str) -> Checkpoint:
    """Read a checkpoint of one kind; UserError for any other file, and for a damaged one."""
    with readable(path, kind, "pt") as file:
        meta, names = header_of(file), file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    if meta["kind"] != kind:
        raise _of_another_kind(path, str(meta["kind"]), kind)
    if meta.pop(_DIGEST, None) not in (
        None,
        _digest(tensors),
    ):  # None: an older version wrote no digest
        raise UserError(
            f"{path}: its tensors are not those that were written: the file is damaged",
            "make it again, or restore it",
        )
    return Checkpoint(tensors, meta)


def _of_another_kind(path: Path, found: str, wanted: str) -> UserError:
    if found == UNFINISHED:
        fix = f"complete that run with {option('resume')}, and pass its checkpoint"
    elif wanted == UNFINISHED:
        fix = f"remove it yourself, or choose another name with {option('out')}"
    else:
        fix = f"pass a file written by {wanted}"
    return UserError(f"{path}: {_called(found)}, not {_called(wanted)}", fix)


def _called(kind: str) -> str:
    return f"the {kind}" if kind == UNFINISHED else f"a checkpoint of {printable(kind)[:80]}"


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
