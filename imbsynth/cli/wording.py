"""Options for people: their spelling on the command line, their help, their line in the docs."""

from __future__ import annotations

import shlex
from typing import Any

from imbsynth.kinds import Flag
from imbsynth.options import OptionField, command_name, option_fields


def flag(name: str) -> str:
    """The option of a field: --batch-size of batch_size."""
    return f"--{name.replace('_', '-')}"


def meaning(field: OptionField) -> str:
    """What an option does, with a few words about each choice."""
    about, choices = field.option.help, field.option.choices
    if not choices:
        return about
    listed = [f"{name} ({words})" for name, words in choices.items()]
    return f"{about.removesuffix('.')}: {', '.join(listed)}."


def allowed(field: OptionField) -> str:
    """What numbers an option takes, and in what unit; "" for other options."""
    interval = "" if field.option.range is None else field.option.range.brief
    return " ".join(filter(None, [interval, field.option.unit]))


def default(field: OptionField) -> str:
    """What an option is unless it is given; "" where that goes without saying."""
    return "required" if field.required else field.default_text


def help_text(field: OptionField) -> str:
    """The whole help of an option."""
    text = default(field)
    notes = [text if text == "required" else f"default: {text}"] if text else []
    notes += [allowed(field)] if allowed(field) else []
    return meaning(field) + (f"  [{'; '.join(notes)}]" if notes else "")


def command_line(config: Any) -> str:
    """What makes this config, as a shell takes it: arguments, and what is not a default."""
    words, presets = ["imbsynth", command_name(type(config))], config.presets()
    for field in option_fields(type(config)):
        value = getattr(config, field.name)
        if field.option.argument:
            words += [] if value is None else [field.text(value)]
        elif isinstance(field.kind, Flag):
            words += [flag(field.name)] if value else []
        elif field.required or value != presets.get(field.name, field.default):
            words += [flag(field.name), field.text(value)]
    return shlex.join(words)
