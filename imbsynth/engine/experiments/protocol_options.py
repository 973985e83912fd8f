"""The options of commands that a protocol gives: checked, and with the defaults added."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from imbsynth.configs import AosTrainConfig, GenerateConfig, ImbalanceConfig, TrainAeConfig

Options = dict[str, Any]  # of a command, by the names of its config's fields

# What a run fills in itself, and the one option of these commands that is the path of a file.
_NOT_GIVEN = {"src", "dst", "out", "val", "ae", "seed", "device", "force", "resume", "counts_file"}
# For the paths among these, while options are checked.
_STAND_INS: dict[type, dict[str, Path]] = {
    ImbalanceConfig: {"src": Path("in"), "dst": Path("out")},
    GenerateConfig: {"src": Path("in"), "dst": Path("out")},
    TrainAeConfig: {"src": Path("in"), "out": Path("out.safetensors")},
    AosTrainConfig: {"src": Path("in"), "out": Path("out.safetensors")},
}


def checked(kind: type, values: Any, where: str, **paths: Path) -> Options:
    """Options by their names on the command line, checked by making the config they are for.

    where: what an error calls the place of the options. Raises ValueError or UserError.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{where} is not a list of options")
    hints = get_type_hints(kind)
    known = names(kind)
    options = {}
    for key, value in values.items():
        name = str(key).replace("-", "_")
        if name not in known:
            allowed = ", ".join(sorted(o.replace("_", "-") for o in known))
            raise ValueError(f"{where}: no option {key!r}: {allowed}")
        options[name] = _typed(value, hints[name], f"{where} {key}")
    if options:
        kind(**_STAND_INS[kind], **paths, **options)
    return options


def resolved(kind: type, options: Options, **paths: Path) -> Options:
    """Every option of a command that a protocol may give: as given, or else its default."""
    config = kind(**_STAND_INS[kind], **paths, **options)
    return {name: getattr(config, name) for name in sorted(names(kind))}


def names(kind: type) -> set[str]:
    """The options that a protocol may give."""
    return {f.name for f in fields(kind)} - _NOT_GIVEN


def _typed(value: Any, hint: Any, where: str) -> Any:
    """The value as the config has it: YAML reads 1e-3 as text and 32 as a number."""
    literals = [part for part in (hint, *get_args(hint)) if get_origin(part) is Literal]
    choices = [choice for literal in literals for choice in get_args(literal)]
    kinds = [kind for kind in ("str", "float", "int", "bool") if kind in str(hint)]
    kind = "str" if choices else kinds[0]
    if choices and str(value) not in choices:
        raise ValueError(f"{where} is {value!r}: choose from {', '.join(choices)}")
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "str" and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if kind == "int" and type(value) is int:
        return value
    if kind == "float" and isinstance(value, str | int | float) and not isinstance(value, bool):
        return _float(value, where)
    raise ValueError(f"{where} is {value!r}, not of type {kind}")


def _float(value: str | float, where: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{where} is {value!r}, not of type float") from None
