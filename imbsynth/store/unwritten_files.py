"""The files of a training run, for a process that leaves them to another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.training_files import TrainingFiles


class UnwrittenFiles(TrainingFiles):
    """Knows the paths and writes nothing: one of the processes of a run writes for all."""

    @contextmanager
    def claimed(self, *, resume: bool, force: bool) -> Iterator[None]:
        """Nothing is held: the writer checks and holds the files."""
        yield

    def check_room(self, state: int) -> None:
        """Nothing needs room."""

    def start_tracking(self, made_by: dict[str, Any]) -> None:
        """Nothing is sent."""

    def save_state(self, state: Checkpoint, made_by: dict[str, Any]) -> None:
        """Nothing is saved."""

    def write_sheet(self, write: Callable[[Path], None]) -> None:
        """Nothing is drawn."""

    def finish(self, checkpoint: Checkpoint) -> None:
        """Nothing is written or removed."""
