"""The application: its commands, its one error boundary, its exit codes."""

from __future__ import annotations

import io
import signal
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

from imbsynth import __version__
from imbsynth.cli import (
    aos_train,
    compare,
    evaluate,
    experiment,
    fid,
    generate,
    imbalance,
    inspect,
    split,
    train_ae,
)
from imbsynth.cli.plain_help import Command, Group
from imbsynth.errors import Interrupted, UserError


class Boundary(Group):
    """Shows a UserError as text, exit code 2; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            _say(f"error: {error.shown(lambda name: '--' + name.replace('_', '-'))}")
            raise typer.Exit(2) from None
        except Interrupted as interrupted:
            _say("stopped: the same command goes on (train-ae and aos-train with --resume)")
            raise typer.Exit(interrupted.exit_code) from None


def _say(text: str) -> None:
    """On stderr, if it can be written: on a full disk the exit code is all that is left to say."""
    with suppress(OSError):
        typer.echo(text, err=True)


app = typer.Typer(
    cls=Boundary,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: imbsynth inspect FOLDER",
)
for command in (
    inspect.inspect,
    imbalance.imbalance,
    split.split,
    train_ae.train_ae,
    generate.generate,
    aos_train.aos_train,
    evaluate.evaluate,
    experiment.experiment,
    compare.compare,
    fid.fid,
):
    app.command(cls=Command)(command)  # by the function's name, with dashes


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imbsynth {__version__}")
        raise typer.Exit


@app.callback()
def imbsynth(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version)
    ] = False,
) -> None:
    """Balance an imbalanced folder of images by synthesising its rare classes."""


def _end_cleanly(number: int, _frame: object) -> None:
    """Leave through the cleaning-up that an exception brings, with the shell's code for it."""
    sys.exit(128 + number)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _end_cleanly)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # a name of any bytes can be shown
    app(prog_name="imbsynth")
