"""docs/commands.md, made from the options: `python -m imbsynth.cli.reference` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from imbsynth.cli.command import CommandSpec, spelling
from imbsynth.cli.commands import SUMMARIES, spec
from imbsynth.cli.wording import allowed, default, meaning
from imbsynth.kinds import Flag
from imbsynth.options import OptionField, option_fields

HEAD = """\
# Commands

Made from the options by `make docs`; do not edit it by hand.

Every command prints its result on standard output, and progress, notes and errors on standard
error. Exit codes: 0, done; 2, something that you can fix, with what it is and how; 3, a limit of
`audit` is passed; 1, a bug, with its traceback; 130, 143 or 129, stopped by Ctrl-C, SIGTERM or
SIGHUP.

From Python, each command is a function of `imbsynth` with the same options, with underscores in
place of dashes: `imbsynth.generate(src="photos/train", dst="balanced", batch_size=100)`.
"""


def reference() -> str:
    """The whole page."""
    commands = [spec(name) for name in SUMMARIES]
    common = _table(option_fields(CommandSpec.common))
    parts = [HEAD, "## Options of every command\n", common, *map(_section, commands)]
    return "\n".join(parts)


def _section(command: CommandSpec) -> str:
    fields = option_fields(command.config)
    arguments = [f for f in fields if f.option.argument]
    usage = " ".join(f.metavar if f.required else f"[{f.metavar}]" for f in arguments)
    examples = [f"imbsynth {command.name} {example}" for example in command.examples]
    return "\n".join(
        [
            f"## {command.name}\n",
            f"`imbsynth {command.name} {usage} [OPTIONS]`\n",
            f"{_escaped(command.about)}\n",
            "```sh",
            *examples,
            "```\n",
            _table(fields),
        ]
    )


def _table(fields: Iterable[OptionField]) -> str:
    rows = [["Option", "Default", "Allowed", "Meaning"], ["---"] * 4]
    for f in fields:
        value = "" if f.option.argument or isinstance(f.kind, Flag) else f" {f.metavar}"
        names = ", ".join(filter(None, [f.option.short, spelling(f)]))
        name = f"`{names}{value}`".replace("|", "\\|")
        rows.append([name, *(_escaped(text) for text in (default(f), allowed(f), meaning(f)))])
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(reference())
