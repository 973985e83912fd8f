"""A command of the command line, made from its config: arguments, options, one run, one result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from imbsynth.cli.config_file import read_options
from imbsynth.cli.console import execute
from imbsynth.cli.plain_help import Command
from imbsynth.cli.wording import help_text
from imbsynth.command_lines import flag
from imbsynth.configs.shared import RUN
from imbsynth.engine.configured import as_configured
from imbsynth.kinds import Flag, Several
from imbsynth.options import Option, OptionField, built, command_name, option_fields, parsed


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every command is told about its own input and output."""

    json: Annotated[bool, Option("Print the result as one JSON object on stdout.", panel=RUN)] = (
        False
    )
    quiet: Annotated[bool, Option("No progress, no notes.", panel=RUN, short="-q")] = False
    config: Annotated[
        Path | None,
        Option(
            "Read options from a YAML file; the command line wins.",
            metavar="FILE.yaml",
            panel=RUN,
        ),
    ] = None


@dataclass(frozen=True)
class CommandSpec:
    """What a command needs beside its config, whose docstring describes it."""

    config: type
    summary: Callable[[Any], None]  # prints a report for people
    examples: tuple[str, ...]  # what follows `imbsynth NAME`
    exit_code: Callable[[Any], int] = lambda _: 0  # what a report says to a script
    several: bool = False  # whether several processes, as of torchrun, carry it out together
    runner: str = ""  # "module:function"; as a rule the `run` of the engine's module of that name

    common: ClassVar[type] = RunOptions

    @property
    def name(self) -> str:
        """As it is typed."""
        return command_name(self.config)

    @property
    def about(self) -> str:
        """Paragraphs, the first of which is one sentence."""
        return inspect.getdoc(self.config) or ""

    @property
    def fields(self) -> tuple[OptionField, ...]:
        """Arguments, options, and what every command has."""
        return option_fields(self.config) + option_fields(self.common)

    def spelled(self, name: str) -> str:
        """A field of the config as it is called on this command line."""
        return next((spelling(f) for f in self.fields if f.name == name), flag(name))

    def command(self) -> Command:
        """The command, for Typer's group."""
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        examples = (f"Example: imbsynth {self.name} {example}" for example in self.examples)
        text = "\n\n".join([self.about, *examples])
        app.command(self.name, cls=Command, help=text)(self._function())
        made = typer.main.get_command(app)
        if not isinstance(made, Command):
            raise TypeError(f"{self.name} is no single command")
        return made

    def _function(self) -> Callable[..., None]:
        def function(**given: Any) -> None:
            self.run({name: v for name, v in given.items() if v is not None and v is not False})

        parameters = [_parameter(f) for f in self.fields]
        parameters += [_old_name(old, f) for f in self.fields for old in f.option.old_names]
        function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {p.name: p.annotation for p in parameters}
        return function

    def run(self, given: Mapping[str, Any]) -> None:
        """Run the engine with what was given on the command line, by field or by an old name."""
        prints = self._prints()
        texts = {n: v if v is True or isinstance(v, list) else str(v) for n, v in given.items()}
        common = {f.name for f in option_fields(self.common)}
        asked = RunOptions(**parsed(RunOptions, {n: v for n, v in texts.items() if n in common}))
        values = parsed(self.config, {n: v for n, v in texts.items() if n not in common})
        json, quiet = asked.json, asked.quiet
        if asked.config is not None:
            of_file, asked_in_file = read_options(asked.config, self.config, RunOptions)
            values = {**of_file, **values}
            json, quiet = json or asked_in_file.json, quiet or asked_in_file.quiet
        config: Any = built(self.config, values)
        run = as_configured(self._runner())
        report = execute(
            run,
            config,
            quiet=quiet or not prints,
            json=json and prints,
            summary=self.summary if prints else lambda _: None,
        )
        if code := self.exit_code(report):
            raise typer.Exit(code)

    def _prints(self) -> bool:
        """Whether this process shows anything; UserError where several do what one should do."""
        from imbsynth.runtime import check_alone, launched

        if not self.several:
            check_alone(self.name)
        place = launched()
        return place is None or place.rank == 0

    def _runner(self) -> Callable[..., Any]:
        own = f"imbsynth.engine.{self.name.replace('-', '_')}:run"
        module, _, function = (self.runner or own).partition(":")
        return getattr(import_module(module), function)


def spelling(field: OptionField) -> str:
    """A field as the command line has it: SRC, or --epochs."""
    return field.option.metavar if field.option.argument else flag(field.name)


def _parameter(field: OptionField) -> inspect.Parameter:
    about: Any
    if field.option.argument:
        about = typer.Argument(
            metavar=field.option.metavar, help=field.option.help, show_default=False
        )
    else:
        about = _option(field, flag(field.name), field.option.short)
    default = inspect.Parameter.empty if field.required and field.option.argument else None
    return _keyword(field, field.name, about, default)


def _old_name(name: str, field: OptionField) -> inspect.Parameter:
    return _keyword(field, name, _option(field, flag(name), "", hidden=True), None)


def _keyword(field: OptionField, name: str, about: Any, default: Any) -> inspect.Parameter:
    value: Any = Path if field.kind.metavar == "PATH" else str
    if isinstance(field.kind, Flag):
        value, default = bool, False
    if isinstance(field.kind, Several):
        value = list[value]
    hint: Any = value if default is inspect.Parameter.empty or value is bool else value | None
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=Annotated[hint, about])


def _option(field: OptionField, *names: str, hidden: bool = False) -> Any:
    def complete(incomplete: str) -> list[str]:
        return [name for name in field.kind.names if name.startswith(incomplete)]

    return typer.Option(
        *filter(None, names),
        metavar=None if isinstance(field.kind, Flag) else field.metavar,
        help=help_text(field),
        show_default=False,
        rich_help_panel=field.option.panel,
        autocompletion=complete if field.kind.names else None,
        hidden=hidden,
    )
