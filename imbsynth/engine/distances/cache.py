"""Summaries of classes on disk, by what they were made of: the second run only loads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imbsynth.core.frechet import Few, Moments, Summary
from imbsynth.engine.events import Note, OnEvent
from imbsynth.errors import UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.folders import digest_of, read_bytes
from imbsynth.store.outputs import claim

KIND = "statistics of fid"


class Kept(NamedTuple):
    """What the cache holds of one class."""

    summary: Summary
    sample: Tensor | None  # (k, d) float32 features


class StatisticsCache:
    """A folder of safetensors files, named by the digest of images and feature network.

    32 MB for a class of 2,048 or more images with Inception's features, 8 kB an image below.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], on_event: OnEvent) -> None:
        self.folder, self.identity, self.on_event = folder, identity, on_event
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"--cache {folder}: no folder can be made there ({error.strerror})",
                "choose a place where you may write",
            ) from None

    def path(self, root: Path, paths: Sequence[str], sampled_with: int | None) -> Path:
        """Where the summary of these images is, or will be; reads every one of them."""
        identity = {
            **self.identity,
            "images": digest_of("\n".join(_digest(root / path) for path in paths).encode()),
            "seed": sampled_with,
        }
        name = digest_of(json.dumps(identity, sort_keys=True).encode())
        return self.folder / f"{name}.safetensors"

    def load(self, path: Path) -> Kept | None:
        """What the file holds; None if there is none, or if it is damaged."""
        if not path.exists():
            return None
        try:
            return _from_tensors(load_checkpoint(path, KIND))
        except (UserError, LookupError, ValueError) as error:
            self.on_event(
                Note(f"{path}: damaged, so it is made again ({str(error).splitlines()[0]})")
            )
            return None

    def save(self, path: Path, kept: Kept) -> None:
        """Write a summary; where that fails the run goes on without."""
        try:
            with claim(path):
                save_checkpoint(path, _as_tensors(kept))
        except UserError as error:
            self.on_event(Note(f"not cached: {error.problem}"))


def _digest(path: Path) -> str:
    try:
        return digest_of(read_bytes(path))
    except OSError:
        return "unreadable"  # as much as the features know of it


def _as_tensors(kept: Kept) -> Checkpoint:
    summary = kept.summary
    meta = {"kind": KIND, "count": summary.count}
    if isinstance(summary, Few):
        return Checkpoint({"rows": summary.rows}, meta)
    tensors = {"mean": summary.mean, "scatter": summary.scatter}
    return Checkpoint(tensors | ({} if kept.sample is None else {"sample": kept.sample}), meta)


def _from_tensors(checkpoint: Checkpoint) -> Kept:
    tensors, count = checkpoint.tensors, int(checkpoint.meta["count"])
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("numbers that are not finite")
    if "rows" in tensors:
        few = Few(tensors["rows"].shape[1])
        few.add(tensors["rows"])
        return Kept(few, None)
    moments = Moments(len(tensors["mean"]))
    moments.count, moments.mean, moments.scatter = count, tensors["mean"], tensors["scatter"]
    return Kept(moments, tensors.get("sample"))
