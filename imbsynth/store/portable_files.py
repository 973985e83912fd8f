"""ONNX and TorchScript files: with metadata, and without where on a disk the code was."""

from __future__ import annotations

import io
import json
import mmap
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from imbsynth.store.folders import open_regular

_METADATA = "imbsynth.json"  # among TorchScript's extra files
# The record of the run among an ONNX file's metadata: a key, then a text after its length.
_IN_ONNX = re.compile(rb'made_by\x12[\x80-\xff]*[\x00-\x7f]\{"command": "export"', re.DOTALL)
# What zipfile raises for archives that are damaged, encrypted, or packed in a way of the future.
_BROKEN_ZIP = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError)
_IN_TORCHSCRIPT = b'"made_by": {"command": "export"'


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


def is_export(path: Path) -> bool:
    """Whether `export` wrote the file, by the record in it."""
    if not path.is_file():
        return False
    try:
        return _is_torchscript_of_ours(path) if zipfile.is_zipfile(path) else _is_onnx_of_ours(path)
    except _BROKEN_ZIP:
        return False


def _is_torchscript_of_ours(path: Path) -> bool:
    with zipfile.ZipFile(path) as found:
        extra = [name for name in found.namelist() if name.endswith(f"/extra/{_METADATA}")]
        texts = [found.read(name) for name in extra]
    return any(_IN_TORCHSCRIPT in text for text in texts)


def _is_onnx_of_ours(path: Path) -> bool:
    """By the bytes alone: the package that reads them need not be there."""
    with open_regular(path) as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _IN_ONNX.search(data) is not None
