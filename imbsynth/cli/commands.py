"""The commands by name, each made only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imbsynth.cli.command import CommandSpec
    from imbsynth.cli.plain_help import Command

# What the list of commands says of each, in the order in which one works with images. A command's
# description is the docstring of its config; to import them all for this list would be too slow.
SUMMARIES = {
    "inspect": "Count classes; find unreadable files, mixed sizes, images in two classes.",
    "convert": "Copy images in another size, gray or in colour, or in another format.",
    "imbalance": "Make an imbalanced copy of a folder, to experiment with.",
    "split": "Split a folder into training, validation and test parts, or folds.",
    "train-ae": "Train DeepSMOTE's autoencoder on a folder of images.",
    "train-generator": "Train a network that makes images of a class: BAGAN, GAMO or a flow.",
    "generate": "Bring every class up to the largest with synthetic images.",
    "audit": "Check synthetic images: can they be told from real ones, are they of their class?",
    "aos-train": "Train a classifier that finds the rare classes.",
    "evaluate": "Score a classifier on real images, each class equally weighted.",
    "predict": "Classify images without labels, and show those to look at first.",
    "export": "Write a classifier as ONNX or TorchScript, for other programs.",
    "experiment": "Compare methods on your folder, or run a grid of data sets and methods.",
    "compare": "Put the scores of many evaluations into one table; say which method is better.",
    "report": "Write one page on all outputs below a folder, to read, print or mail.",
    "fid": "Fréchet distance of synthetic images to real ones, class by class.",
}


def spec(name: str) -> CommandSpec:
    """What is known of a command; KeyError if there is none so named."""
    if name not in SUMMARIES:
        raise KeyError(name)
    found: CommandSpec = import_module(f"imbsynth.cli.{name.replace('-', '_')}").COMMAND
    return found


class Commands(MutableMapping[str, Any]):
    """Every command, for Typer's group; its options are read when it is looked up."""

    def __getitem__(self, name: str) -> Command:
        return spec(name).command()

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("a command is added to SUMMARIES")

    def __delitem__(self, name: str) -> None:
        raise TypeError("a command is removed from SUMMARIES")

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)
