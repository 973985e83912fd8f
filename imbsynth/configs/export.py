"""The config of `export`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.shared import Replacing, Trained
from imbsynth.options import Option

Format = Literal["onnx", "torchscript"]


@dataclass(frozen=True, kw_only=True)
class ExportConfig(Replacing):
    """Write a classifier in a form that other programs run without imbsynth.

    It takes float32 images in [0, 1], with shape (batch, channels, height, width), and gives the
    probability of each class: normalisation and softmax are inside. The names of the classes are
    in the file's metadata. ONNX needs `pip install imbsynth[onnx]`.
    """

    checkpoint: Trained
    to: Annotated[Format, Option("The form.")]
    out: Annotated[Path, Option("File to write.", metavar="FILE")]
