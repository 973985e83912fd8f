"""Summaries of classes on disk, named by the digest of all that they depend on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imbsynth.core.frechet import Moments, StoredFeatures, Summary
from imbsynth.engine.events import Note, OnEvent
from imbsynth.errors import UserError, option
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.drafts import drafting
from imbsynth.store.fields import Wrong, whole
from imbsynth.store.folders import digest_of, read_bytes
from imbsynth.store.outputs import claim

KIND = "statistics of fid"


class Measurement(NamedTuple):
    """What is measured of one class."""

    summary: Summary
    sample: Tensor | None  # (k, d) float32 features, in random order


class StatisticsCache:
    """A folder of safetensors files, named by the digest of the images and the feature network.

    With Inception's features, a file has 32 MB for a class of 2,048 or more images, and 8 kB per
    image for a smaller one.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], dim: int, on_event: OnEvent) -> None:
        """identity: all that the features depend on besides the images; dim: features per image."""
        self.folder, self.identity, self.dim, self.on_event = folder, identity, dim, on_event
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{option('cache')} {folder}: no folder can be made there ({error.strerror})",
                "choose a place where you may write",
            ) from None

    def path(self, root: Path, paths: Sequence[str], sampled_with: int | None) -> Path:
        """Where the measurement of these images is, or will be; reads every one of them."""
        identity = {
            **self.identity,
            "images": digest_of("\n".join(_digest(root / path) for path in paths).encode()),
            "seed": sampled_with,
            **({"draft": True} if drafting() else {}),  # else named as before there were drafts
        }
        name = digest_of(json.dumps(identity, sort_keys=True).encode())
        return self.folder / f"{name}.safetensors"

    def load(self, path: Path) -> Measurement | None:
        """What the file holds; None if there is no file, or if it is damaged."""
        if not path.exists():
            return None
        try:
            return _from_tensors(load_checkpoint(path, KIND), self.dim)
        except (UserError, Wrong) as error:
            problem = str(error).splitlines()[0]
            self.on_event(Note(f"{path}: damaged, so it is made again ({problem})"))
            return None

    def save(self, path: Path, measurement: Measurement) -> None:
        """Write a measurement; if that fails, the run continues without."""
        try:
            with claim(path):
                save_checkpoint(path, _as_tensors(measurement))
        except UserError as error:
            self.on_event(Note(f"not cached: {error.problem}"))


def _digest(path: Path) -> str:
    try:
        return digest_of(read_bytes(path))
    except OSError:
        return "unreadable"  # the features cannot depend on more than that


def _as_tensors(measurement: Measurement) -> Checkpoint:
    summary, sample = measurement
    meta = {"kind": KIND, "count": summary.count}
    if isinstance(summary, StoredFeatures):
        return Checkpoint({"rows": summary.rows}, meta)
    tensors = {"mean": summary.mean, "scatter": summary.scatter}
    return Checkpoint(tensors if sample is None else {**tensors, "sample": sample}, meta)


def _from_tensors(checkpoint: Checkpoint, dim: int) -> Measurement:
    """What `_as_tensors` made; Wrong if a tensor is missing, of another shape, or not finite."""
    tensors, count = checkpoint.tensors, whole(checkpoint.meta, "count", 0)
    if "rows" in tensors:
        stored = StoredFeatures(dim)
        stored.add(_tensor(tensors, "rows", torch.float32, (count, dim)))
        return Measurement(stored, None)
    moments = Moments(dim)
    moments.count = count
    moments.mean = _tensor(tensors, "mean", torch.float64, (dim,))
    moments.scatter = _tensor(tensors, "scatter", torch.float64, (dim, dim))
    if "sample" not in tensors:
        return Measurement(moments, None)
    return Measurement(moments, _tensor(tensors, "sample", torch.float32, (None, dim)))


def _tensor(
    tensors: dict[str, Tensor], name: str, dtype: torch.dtype, shape: tuple[int | None, ...]
) -> Tensor:
    """A tensor of that shape, in which None stands for any length."""
    found = tensors.get(name)
    if found is None or found.dtype != dtype or found.ndim != len(shape):
        raise Wrong(f"{name} is missing, or of another type")
    if any(side not in (None, there) for side, there in zip(shape, found.shape, strict=True)):
        raise Wrong(f"{name} has the shape {tuple(found.shape)}")
    if not found.isfinite().all():
        raise Wrong(f"{name} is not finite")
    return found
