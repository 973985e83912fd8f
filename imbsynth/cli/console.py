"""What a person sees: progress and notes on stderr, the result alone on stdout."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

import typer

from imbsynth.engine.time_left import TimeLeft
from imbsynth.errors import UserError

if TYPE_CHECKING:
    from imbsynth.engine.events import Event, OnEvent

FILE_WIDTH = 200  # characters a line of a table where stdout is a file or a pipe
LINE_EVERY = 10.0  # seconds between two lines of progress where stderr is a file


def execute(
    run: Callable[..., Any], config: Any, *, quiet: bool, json: bool, summary: Callable[[Any], None]
) -> Any:
    """Run an engine command, show its progress, and print its report: in words or as JSON."""
    with _broken_pipes_are_errors(), _listening(quiet) as on_event:
        report = run(config, on_event=on_event)
    try:
        if json:
            from imbsynth.store.records import as_json

            typer.echo(as_json(report))
        else:
            summary(report)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(
            f"the result cannot be printed ({error.strerror}), but the run is complete",
            "send standard output to a place with room",
        ) from None
    return report


@contextmanager
def _broken_pipes_are_errors() -> Iterator[None]:
    """An exception in place of SIGPIPE, which would end a run without its cleaning-up."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


@contextmanager
def _listening(quiet: bool) -> Iterator[OnEvent]:
    """A listener for a run: bars on a terminal, now and then a line in a log file."""
    from imbsynth.engine.events import silent

    if quiet or sys.stderr is None:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as listener:
            yield listener
    else:
        yield _Lines()


@contextmanager
def _bars() -> Iterator[OnEvent]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    from imbsynth.engine.events import Advanced, EpochDone, Note, Started

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
    )
    current: list[TaskID] = []

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            current[:] = [progress.add_task(event.task, total=event.total, detail="")]
        elif isinstance(event, Advanced) and current:
            detail = {"detail": event.detail} if event.detail else {}
            progress.update(current[0], completed=event.done, **detail)  # type: ignore[arg-type]
        elif isinstance(event, EpochDone):
            pass  # the bar shows it
        elif isinstance(event, Note):
            progress.console.print(event.text, style="yellow", markup=False, highlight=False)

    with progress:
        yield listen


class _Lines:
    """Progress for a log file: each stage, and a line now and then within it."""

    def __init__(self) -> None:
        self.task, self.total, self.unit = "", 0, ""
        self.shown, self.left = time.monotonic(), TimeLeft()

    def __call__(self, event: Event) -> None:
        from imbsynth.engine.events import Advanced, Note, Started, duration

        now = time.monotonic()
        if isinstance(event, Started):
            self.task, self.total, self.unit = event.task, event.total, event.unit
            self.shown, self.left = now, TimeLeft()
            self._say(f"{event.task}: {event.total} {event.unit}")
        elif isinstance(event, Note):
            self._say(f"note: {event.text}")
        elif isinstance(event, Advanced):
            left = self.left.seconds(event.done, self.total)
            if now - self.shown >= LINE_EVERY and left is not None:
                self.shown = now
                self._say(
                    f"{self.task}: {round(event.done, 2)} of {self.total} {self.unit}, "
                    f"about {duration(left)} left  {event.detail}".rstrip()
                )

    def _say(self, text: str) -> None:
        with suppress(OSError):  # progress that cannot be shown stops no run
            typer.echo(text, err=True)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def bar(share: float, lighter: float = 0.0, *, width: int = 40) -> str:
    """A bar for two shares of a whole, the second one lighter; `width` characters are the whole."""
    full, light = ("█", "░") if _can_print("█░") else ("#", "+")
    dark = max(round(width * share), int(share > 0))
    return full * dark + light * (round(width * (share + lighter)) - dark)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, bold: Container[int] = ()
) -> None:
    """Print rows under a header: the first column as names, the rest to the right, bars left."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from imbsynth.store.names import printable

    shown = Table(box=None, pad_edge=False)
    for column, title in enumerate(header):
        justify: Literal["left", "right"] = "right" if column and title else "left"
        shown.add_column(
            Text(printable(title)), justify=justify, no_wrap=not title, overflow="fold"
        )
    for index, (name, *cells) in enumerate(rows):
        style = "bold" if index in bold else ""
        shown.add_row(Text(printable(name)), *map(Text, cells), style=style)
    width = None if sys.stdout.isatty() else FILE_WIDTH
    Console(highlight=False, width=width).print(shown)


def class_table(counts: dict[str, int], added: dict[str, int] | None = None) -> None:
    """Print a row per class with its number of images and a bar."""
    largest = max(counts.values())
    rows = []
    for name, n in counts.items():
        extra = (added or {}).get(name, 0)
        numbers = [str(n)] + ([str(extra)] if added else [])
        rows.append([name, *numbers, bar((n - extra) / largest, extra / largest)])
    table(["class", "images", *(["synthetic"] if added else []), ""], rows)
