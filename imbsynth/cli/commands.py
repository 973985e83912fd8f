"""The commands by name, each made only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.plain_help import Command

NAMES = (  # in the order of a work with images
    "inspect",
    "imbalance",
    "split",
    "train-ae",
    "generate",
    "aos-train",
    "evaluate",
    "experiment",
    "compare",
    "fid",
)


def spec(name: str) -> CommandSpec:
    """What is known of a command; KeyError if there is none so named."""
    if name not in NAMES:
        raise KeyError(name)
    found: CommandSpec = import_module(f"imbsynth.cli.{name.replace('-', '_')}").COMMAND
    return found


class Commands(MutableMapping[str, Any]):
    """Every command, for Typer's group; its options are read when it is looked up."""

    def __getitem__(self, name: str) -> Command:
        return spec(name).command()

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("a command is added to NAMES")

    def __delitem__(self, name: str) -> None:
        raise TypeError("a command is removed from NAMES")

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)
