"""The options of commands that a protocol gives: checked, and with the defaults added."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from imbsynth.configs import (
    AosTrainConfig,
    GenerateConfig,
    ImbalanceConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.errors import UserError
from imbsynth.options import parsed, recorded

Options = dict[str, Any]  # of a command, by the names of its config's fields

# What a run fills in itself, and the options of these commands that are the path of a file.
_NOT_GIVEN = {"src", "dst", "out", "val", "ae", "generator", "seed", "device", "force", "resume"}
_NOT_GIVEN |= {"val_fraction", "counts_file", "per_class"}
_NOT_GIVEN |= {"groups", "group_pattern"}  # of a whole experiment, for all its splits
_NOT_GIVEN |= {"cache", "memory", "tensorboard", "track"}  # not what comes out
# For the paths among these, while options are checked.
_STAND_INS: dict[type, dict[str, Path]] = {
    ImbalanceConfig: {"src": Path("in"), "dst": Path("out")},
    GenerateConfig: {"src": Path("in"), "dst": Path("out")},
    TrainAeConfig: {"src": Path("in"), "out": Path("out.safetensors")},
    TrainGeneratorConfig: {"src": Path("in"), "out": Path("out.safetensors")},
    AosTrainConfig: {"src": Path("in"), "out": Path("out.safetensors")},
}


def read_options(kind: type, values: Any, where: str) -> Options:
    """Options by their names on the command line, each checked alone.

    where: what an error calls the place of the options. Raises ValueError or UserError.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where} is not a list of options")
    try:
        options = parsed(kind, values, without=_NOT_GIVEN)
    except UserError as error:
        raise error.within(where) from None
    if any(isinstance(value, Path) for value in options.values()):
        raise ValueError(f"{where} names a file of weights, and only auto is the same everywhere")
    return options


def checked(
    kind: type, values: Any, where: str, common: Options | None = None, **paths: Path
) -> Options:
    """Options on top of common ones, checked by making the config that they are for together.

    where: as for `read_options`. Raises ValueError or UserError.
    """
    options = {**(common or {}), **read_options(kind, values, where)}
    try:
        if options:
            kind(**_STAND_INS[kind], **paths, **options)
    except UserError as error:
        raise error.within(where) from None
    return options


def resolved(kind: type, options: Options, **paths: Path) -> Options:
    """Every option of a command that a protocol may give, as recorded: as given, or its default."""
    config = kind(**_STAND_INS[kind], **paths, **options)
    return {name: v for name, v in sorted(recorded(config).items()) if name not in _NOT_GIVEN}


def names(kind: type) -> set[str]:
    """The options that a protocol may give."""
    return {f.name for f in fields(kind)} - _NOT_GIVEN
