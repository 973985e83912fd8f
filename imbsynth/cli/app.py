"""The application: its commands, its one error boundary, its exit codes."""

from __future__ import annotations

import io
import math
import os
import shlex
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imbsynth import __version__
from imbsynth.cli.commands import SUMMARIES, Commands, spec
from imbsynth.cli.plain_help import Group
from imbsynth.command_lines import flag
from imbsynth.errors import SAME_REQUEST, Interrupted, ProcessLost, UserError

if TYPE_CHECKING:
    from imbsynth.runtime import Launched


class Boundary(Group):
    """Shows a UserError as text, exit code 2; anything else is a bug and keeps its traceback."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # in place of those that Typer has been told of: none

    def summaries(self) -> dict[str, str]:
        """What the list of commands says of each, without making the command."""
        return SUMMARIES

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            name = ctx.invoked_subcommand
            shown = error.shown(spec(name).spelled if name in SUMMARIES else flag)
            _say_for_all(shown, lost=isinstance(error, ProcessLost))
            raise typer.Exit(2) from None
        except Interrupted as interrupted:
            place = _place()
            if place is None:
                _say(f"stopped; to resume: imbsynth {_resuming(sys.argv[1:])}")
            elif place.rank == 0:  # for all, in the same words
                again = f"torchrun ... -m imbsynth {_resuming(sys.argv[1:])}"
                _say(f"stopped; to resume: {again}")
            raise typer.Exit(interrupted.exit_code) from None


def _place() -> Launched | None:
    """Which of several processes this is, if it is one of several."""
    from imbsynth.runtime import launched

    return launched()


def _say_for_all(problem: str, *, lost: bool) -> None:
    """An error; of several processes that meet the same, one says it."""
    place = _place()
    if place is None:
        _say(f"error: {problem}")
        return
    from imbsynth.runtime import first_to_say

    if first_to_say(problem, lost=lost):
        _say(f"error ({place}): {problem}")


def _resuming(words: list[str]) -> str:
    """What resumes what was stopped, after the program's name; a training needs --resume."""
    kept = [word for word in words if word != "--force"]
    if kept[:1] in (["train-ae"], ["train-generator"], ["aos-train"]) and "--resume" not in kept:
        kept.append("--resume")
    return shlex.join(kept)


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


class _EndCleanly:
    """Leaves through the cleaning-up that an exception brings, with the shell's code for it.

    Signals that follow soon belong to the first one, and don't cut the cleaning-up off: batch
    systems and torchrun signal the whole group, then each process. A process that ends because
    another one has ended takes none, so that it can say so: torchrun sends one to all others.
    """

    arrived = -math.inf  # when the first one did, by the monotonic clock

    def __call__(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if now - self.arrived <= SAME_REQUEST or _another_is_lost(sys.exc_info()[1]):
            return
        self.arrived = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)


def _another_is_lost(handled: BaseException | None) -> bool:
    """Whether this process is ending because another one has; handled: what is being handled."""
    while handled is not None and not isinstance(handled, ProcessLost):
        handled = handled.__context__
    return handled is not None


_end_cleanly = _EndCleanly()


def _code_of_signal(error: BaseException | None) -> int | None:
    """The exit code of the signal that an exception stands for, if it does."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
        return error.code  # of `_end_cleanly`
    return None


def _ask_again(dropped: Any) -> None:
    """Repeat a signal that arrived in a finaliser, where Python drops what a handler raises."""
    code = _code_of_signal(dropped.exc_value)
    if code is None:
        sys.__unraisablehook__(dropped)
        return
    _end_cleanly.arrived = -math.inf
    over = threading.Event()  # starting a thread takes long on a busy machine

    def ask() -> None:
        over.wait()
        time.sleep(0.01)
        os.kill(os.getpid(), code - 128)

    threading.Thread(target=ask, daemon=True).start()
    over.set()


def _open_closed_streams() -> None:
    """Let what is written to a closed stream go nowhere, as under `>&-`, cron or systemd.

    Else the next file to be opened would take its number, and receive what is printed.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _end_at_once(code: object) -> None:
    """End one of several processes as soon as all is said and done, without taking Python apart.

    A thread of PyTorch's that wants Python meanwhile would abort the process, and torchrun all.
    """
    for output in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            output.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def main() -> None:
    """Run the command line."""
    _open_closed_streams()
    sys.unraisablehook = _ask_again
    signal.signal(signal.SIGTERM, _end_cleanly)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # not so in the background
        signal.signal(signal.SIGINT, _end_cleanly)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _end_cleanly)
    # A reader such as `head` that has seen enough ends this process as it ends any other; but not
    # during a run, see `execute`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # a name of any bytes can be shown
    try:
        app(prog_name="imbsynth")
    except SystemExit as end:
        if "torch" in sys.modules and _place() is not None:
            _end_at_once(end.code)
        raise
    except ImportError as error:
        # What some libraries make of a signal that arrives while they are loaded.
        code = _code_of_signal(error.__cause__)
        if code is None:
            raise
        sys.exit(code)
