"""What a person sees: progress and notes on stderr, the result alone on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from imbsynth.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from imbsynth.engine.events import Event, OnEvent

LINE_EVERY = 10.0  # seconds between two lines of progress where stderr is a file


def execute(
    run: Callable[..., Any], config: Any, *, quiet: bool, json: bool, summary: Callable[[Any], None]
) -> None:
    """Run an engine command, show its progress, and print its report: in words or as JSON."""
    with _listening(quiet) as on_event:
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
        self.begun = self.shown = time.monotonic()
        self.before: int | None = None  # done before this process, in a resumed run

    def __call__(self, event: Event) -> None:
        from imbsynth.engine.events import Advanced, Note, Started

        now = time.monotonic()
        if isinstance(event, Started):
            self.task, self.total, self.unit = event.task, event.total, event.unit
            self.begun = self.shown = now
            self.before = None
            self._say(f"{event.task}: {event.total} {event.unit}")
        elif isinstance(event, Note):
            self._say(f"note: {event.text}")
        elif isinstance(event, Advanced) and self.before is None:
            self.before = event.done - 1
        elif isinstance(event, Advanced) and now - self.shown >= LINE_EVERY:
            self.shown = now
            done_here = event.done - (self.before or 0)
            left = (now - self.begun) * (self.total - event.done) / max(done_here, 1)
            self._say(
                f"{self.task}: {event.done} of {self.total} {self.unit}, "
                f"at most {left:.0f} s left  {event.detail}".rstrip()
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


def class_table(counts: dict[str, int], added: dict[str, int] | None = None) -> None:
    """Print a row a class with its number of images and a bar."""
    from rich.table import Table
    from rich.text import Text

    from imbsynth.store.folders import printable

    added = added or {}
    full, light = ("█", "░") if _can_print("█░") else ("#", "+")
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    table.add_column("images", justify="right")
    if added:
        table.add_column("synthetic", justify="right")
    table.add_column("")
    largest = max(counts.values())
    for name, n in counts.items():
        extra = added.get(name, 0)
        real = round(40 * (n - extra) / largest)
        bar = Text(full * max(real, int(n > extra)))
        bar.append(light * (round(40 * n / largest) - real))
        cells = [str(n)] + ([str(extra)] if added else [])
        table.add_row(Text(printable(name)), *cells, bar)
    show(table)


def show(table: Table) -> None:
    """Print a table on stdout."""
    from rich.console import Console

    Console(highlight=False).print(table)
