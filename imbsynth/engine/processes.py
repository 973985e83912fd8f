"""Several processes that carry out a command together: what they read, write and say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from imbsynth.engine.events import Event, Note, OnEvent
from imbsynth.errors import ProcessLost, UserError
from imbsynth.runtime import World
from imbsynth.store.outputs import new_folder


def check_same_images(inputs: Mapping[str, str], world: World) -> None:
    """Raise UserError, in every process, unless all have read the same, by its digests."""
    if world.agree(world.told(lambda: inputs) != inputs):
        raise UserError(
            f"the {world.size} processes do not read the same images",
            "let all of them see the same folders",
        )


@contextmanager
def shared_folder(target: Path, *, command: str, force: bool, world: World) -> Iterator[Path]:
    """`new_folder`, held by the writer, that all processes fill.

    It gets its name when all have ended the block, and is removed if one of them does not.
    """
    if world.is_writer:
        with new_folder(target, command=command, force=force) as part:
            yield world.told(lambda: part)
            world.agree(False)
        return
    part = world.told(lambda: target)
    try:
        yield part
    except OSError:
        if part.is_dir():
            raise
        raise ProcessLost(
            "the process that writes has ended, and the folder is gone",
            "see what it said, then start all of them again",
        ) from None
    world.agree(False)


@contextmanager
def heard_by_writer(on_event: OnEvent, world: World) -> Iterator[OnEvent]:
    """A listener for each process: what the writer says, and in the end what others alone noted."""
    notes: list[Note] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event)
        if world.is_writer:
            on_event(event)

    yield listen
    found = list(chain.from_iterable(world.gathered(notes)))
    if world.is_writer:
        for note in dict.fromkeys(found[len(notes) :]):
            if note not in notes:
                on_event(note)
