"""`export`: a classifier as ONNX or TorchScript."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from imbsynth.configs import ExportConfig
from imbsynth.engine.events import OnEvent, silent
from imbsynth.engine.inference.classifier import TrainedClassifier, load_classifier
from imbsynth.engine.inference.fits import FIT
from imbsynth.errors import UserError, option
from imbsynth.extras import check_extra
from imbsynth.models.portable import Portable
from imbsynth.store.copies import unchanged
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.outputs import check_apart, check_file_target, claim, new_file
from imbsynth.store.portable_files import is_export, write_onnx, write_torchscript
from imbsynth.store.records import provenance

LARGEST_ONNX = 2**31 - 1  # bytes of one file: a limit of its format
INPUT, OUTPUT = "images", "probabilities"


@dataclass(frozen=True)
class Report:
    """What `export` prints."""

    out: str
    shape: list[int]  # channels, height, width of the images
    classes: list[str]  # in the order of the probabilities


def run(config: ExportConfig, *, on_event: OnEvent = silent) -> Report:
    """Trace the classifier, and write it with the names of its classes."""
    check_apart(config.checkpoint, config.out)
    _check_out(config)
    if config.to == "onnx":
        asked = f"{option('to')} onnx"
        check_extra("onnx", ["onnx", "onnxscript"], asked=asked, instead="give torchscript")
    with unchanged(config.checkpoint):
        trained = load_classifier(config.checkpoint)
        metadata = _metadata(config, trained)
    network = Portable(trained.model).eval()
    example = torch.zeros(2, *trained.model.shape)  # torch takes a batch of one for a constant
    with claim(config.out), new_file(config.out, force=config.force) as part:
        if config.to == "onnx":
            write_onnx(part, _onnx(network, example), metadata)
        else:
            write_torchscript(part, _torchscript(network, example), metadata)
    return Report(config.out.as_posix(), list(trained.model.shape), trained.classes)


def _check_out(config: ExportConfig) -> None:
    """Raise UserError if a file is there, unless it is an earlier export that may be replaced."""
    check_file_target(config.out, force=config.force)
    if os.path.lexists(config.out) and not is_export(config.out):
        raise UserError(
            f"{config.out} exists and was not made by export",
            "choose another name, or remove it yourself",
        )


def _metadata(config: ExportConfig, trained: TrainedClassifier) -> dict[str, Any]:
    """What a user of the file needs to know, and how it was made."""
    inputs = {"checkpoint": digest_of(read_regular(config.checkpoint))}
    return {
        "classes": trained.classes,
        FIT: trained.fit,
        "thresholds": {} if trained.fitted is None else trained.fitted.thresholds,
        "made_by": provenance("export", config, inputs=inputs, libraries=("torch",)),
    }


def _onnx(network: Portable, example: Tensor) -> Any:
    """An onnx.ModelProto for any number of images."""
    size = sum(value.nbytes for value in network.state_dict().values())
    if size >= LARGEST_ONNX:
        raise UserError(
            f"{option('to')} onnx: the weights take {size:,} bytes, more than one file can hold",
            "give torchscript",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about itself
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={INPUT: {0: torch.export.Dim("n")}},
            verbose=False,
        )
    return None if program is None else program.model_proto


def _torchscript(network: Portable, example: Tensor) -> Any:
    """A frozen torch.jit.ScriptModule for any number of images."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # deprecated, and still what other programs load
        return torch.jit.freeze(torch.jit.trace(network, example))
