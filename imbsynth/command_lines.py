"""How the command line spells options, and a whole config as what a shell takes."""

from __future__ import annotations

import shlex
from typing import Any

from imbsynth.kinds import Flag, Several
from imbsynth.options import command_name, option_fields


def flag(name: str) -> str:
    """The option of a field: --batch-size of batch_size."""
    return f"--{name.replace('_', '-')}"


def command_line(config: Any) -> str:
    """What makes this config, as a shell takes it: arguments, and what is not a default."""
    words, presets = ["imbsynth", command_name(type(config))], config.presets()
    for field in option_fields(type(config)):
        value = getattr(config, field.name)
        if isinstance(field.kind, Several):
            words += map(str, value)
        elif field.option.argument:
            words += [] if value is None else [field.text(value)]
        elif isinstance(field.kind, Flag):
            words += [flag(field.name)] if value else []
        elif field.required or value != presets.get(field.name, field.default):
            words += [flag(field.name), field.text(value)]
    return shlex.join(words)
