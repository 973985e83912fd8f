"""Help as plain text, in sections: it can be searched and piped, and importing what draws frames
would double the time that every command takes to start."""

from __future__ import annotations

import inspect
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

EXAMPLE = "Example: "


class Command(TyperCommand):
    """Options under the headings that their declarations name (`rich_help_panel`)."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Examples stay on one line each, however long, so that they can be copied."""
        for paragraph in _paragraphs(self):
            formatter.write_paragraph()
            with formatter.indentation():
                if paragraph.startswith(EXAMPLE):
                    indent = " " * formatter.current_indent
                    formatter.write(f"{indent}{' '.join(paragraph.split())}\n")
                else:
                    formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """A section per heading, in the order in which they first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(_heading(parameter), []).append(_shown(parameter, *record))
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def _shown(parameter: Any, name: str, about: str) -> tuple[str, str]:
    """Arguments without what Typer writes after their name: `<path>`, or `<list[Path]>`."""
    return (name.partition(" <")[0] if isinstance(parameter, TyperArgument) else name), about


def _heading(parameter: Any) -> str:
    if isinstance(parameter, TyperArgument | TyperOption) and parameter.rich_help_panel:
        return str(parameter.rich_help_panel)
    return "Arguments" if isinstance(parameter, TyperArgument) else "Options"


def _paragraphs(command: Any) -> list[str]:
    """Of its description; what follows a form feed is for readers of the code."""
    return inspect.cleandoc(command.help or "").partition("\f")[0].split("\n\n")


class Group(TyperGroup):
    """Commands with the whole first paragraph of their description."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """In the order in which they are declared."""
        rows = [(name, " ".join(text.split())) for name, text in self.summaries().items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def summaries(self) -> dict[str, str]:
        """What each command does, by its name."""
        return {name: _paragraphs(command)[0] for name, command in self.commands.items()}
