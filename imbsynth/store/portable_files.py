"""ONNX and TorchScript files: with metadata, and without where on a disk the code was."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

_METADATA = "imbsynth.json"  # among TorchScript's extra files


def write_onnx(path: Path, model: Any, metadata: Mapping[str, Any]) -> None:
    """Write an onnx.ModelProto; metadata: JSON values by name, each a text in the file.

    What the exporter notes about every node (a stack trace with the folders of this machine) is
    removed: nobody else needs it, and it would differ from machine to machine.
    """
    for part in _parts(model):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.ClearField("metadata_props")
    for name, value in sorted(metadata.items()):
        model.metadata_props.add(key=name, value=json.dumps(value, sort_keys=True))
    path.write_bytes(model.SerializeToString(deterministic=True))


def _parts(model: Any) -> Iterator[Any]:
    """The graphs of a model, and what they are made of."""
    for graph in (model.graph, *model.functions):
        yield graph
        yield from graph.node
        yield from graph.value_info
    yield from (*model.graph.input, *model.graph.output, *model.graph.initializer)


def write_torchscript(path: Path, script: Any, metadata: Mapping[str, Any]) -> None:
    """Write a torch.jit.ScriptModule; metadata: JSON values by name, in one extra file.

    Its debug files, which tell the folders of this machine, are left out.
    """
    written = io.BytesIO()
    extra = {_METADATA: json.dumps(dict(metadata), sort_keys=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and still what other programs load
        torch.jit.save(script, written, _extra_files=extra)
    with zipfile.ZipFile(written) as found, zipfile.ZipFile(path, "w") as kept:
        for name in found.namelist():
            if not name.endswith(".debug_pkl"):
                kept.writestr(zipfile.ZipInfo(name), found.read(name))
