"""The numbers of a training run as TensorBoard reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from imbsynth.errors import option
from imbsynth.extras import check_extra

EVENTS = "events.out.tfevents.0.imbsynth"  # TensorBoard knows its files by the second part


def check_tensorboard() -> None:
    """Raise UserError unless the package that writes the file is installed."""
    asked = option("tensorboard")
    check_extra("tensorboard", ["tensorboard"], asked=asked, instead=f"leave out {asked}")


def scalars(line: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an epoch by name, sorted; line: of a log, which has more than numbers."""
    return {
        name: value
        for name, value in sorted(line.items())
        if type(value) in (int, float) and name != "epoch"
    }


def write_events(path: Path, history: Iterable[Mapping[str, Any]]) -> None:
    """Write the numbers of every epoch, with the epoch as step.

    history: the lines of a log. The file is always written whole, so a resumed run has no step
    twice. Its time is that of the training, without a clock: the same history gives the same bytes,
    and a longer one begins with the shorter one, which TensorBoard reads as if it had grown.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    events, seconds = [Event(wall_time=0, file_version="brain.Event:2")], 0.0
    for line in history:
        seconds += line["seconds"]
        values = [
            Summary.Value(tag=name, simple_value=value) for name, value in scalars(line).items()
        ]
        summary = Summary(value=values)
        events.append(Event(wall_time=seconds, step=line["epoch"], summary=summary))
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
