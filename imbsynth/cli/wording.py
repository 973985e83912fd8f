"""Options for people: their spelling on the command line, their help, their line in the docs."""

from __future__ import annotations

from imbsynth.options import OptionField


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
