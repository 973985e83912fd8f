"""The files of a training run: checkpoint, log and sheet, and the state to resume from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imbsynth.configs import STATE, AosTrainConfig, TrainAeConfig, TrainGeneratorConfig
from imbsynth.errors import UserError, option
from imbsynth.options import command_name, old_names, recorded_defaults
from imbsynth.store.checkpoint_headers import command_of
from imbsynth.store.checkpoints import (
    UNFINISHED,
    Checkpoint,
    is_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from imbsynth.store.disk import check_room
from imbsynth.store.event_files import EVENTS, check_tensorboard, write_events
from imbsynth.store.fields import Wrong
from imbsynth.store.names import printable
from imbsynth.store.outputs import claim, new_file
from imbsynth.store.pictures import check_ours
from imbsynth.store.records import read_lines, write_lines
from imbsynth.store.tracking import Tracking, check_tracker

# Where a run happens and what its folder is called: a run may resume elsewhere, though on another
# device not to the byte. The images themselves are identified by their digest.
_MAY_DIFFER = frozenset({"device", "src", "val", "ae", "pretrained"})

GROUPS = "groups"  # among the inputs of a run: the list that decides what is held out
PROCESSES = "processes"  # in the record of a run that several carried out: their number
_ANOTHER = f"choose another name with {option('out')}"
_ANEW = f"start again with {option('force')} in place of {option('resume')}, or {_ANOTHER}"


class TrainingFiles:
    """Paths beside a checkpoint NAME.safetensors, and how a run uses them.

    `ends` names the options that say when a run ends, not what its steps do: an interrupted run
    may go on with others.
    """

    def __init__(
        self, config: TrainAeConfig | TrainGeneratorConfig | AosTrainConfig, ends: frozenset[str]
    ) -> None:
        self.checkpoint, self.ends = config.out, ends
        self.command = command_name(type(config))
        # Of options that did not exist when a run was begun, it did what is their default now.
        self.defaults = recorded_defaults(type(config))
        self.old_names = old_names(type(config))
        self.log = self.checkpoint.with_suffix(".jsonl")
        self.sheet = self.checkpoint.with_suffix(".png")
        self.state = self.checkpoint.with_suffix(f"{STATE}.safetensors")
        self.events = None
        if config.tensorboard is not None:
            check_tensorboard()
            self.events = config.tensorboard / self.checkpoint.stem / EVENTS
        self.tracker = config.track
        self.tracking: Tracking | None = None
        if self.tracker is not None:
            check_tracker(self.tracker)
        self._resumed: dict[str, Any] = {}  # the header of the state that a run was resumed from

    @contextmanager
    def claimed(self, *, resume: bool, force: bool) -> Iterator[None]:
        """Hold the run's files for this process, after checking that none would be lost."""
        with claim(self.checkpoint):
            self._check(resume=resume, force=force)
            complete = False
            try:
                yield
                complete = True
            finally:
                if self.tracking is not None:
                    self.tracking.close(complete=complete)

    def _check(self, *, resume: bool, force: bool) -> None:
        """With force, files that a run of ours has left may be replaced, and no others."""
        if self.state.exists() and not (resume or force):
            raise UserError(
                f"{self.state}: an interrupted run is there",
                f"resume it with {option('resume')}, or start again with {option('force')}",
            )
        ours = is_checkpoint(self.state) or is_checkpoint(self.checkpoint)
        whose = "" if ours else " and is of no run of imbsynth, or damaged"
        if ours and (resume or force):
            if force:
                self._check_own()
            return
        for path in filter(None, (self.checkpoint, self.log, self.sheet, self.state, self.events)):
            if os.path.lexists(path):
                raise UserError(
                    f"{path} exists{whose}",
                    f"choose another name, or replace it with {option('force')}"
                    if ours
                    else "choose another name, or remove it yourself",
                )

    def _check_own(self) -> None:
        """Raise UserError unless what is there was left by a run of this command."""
        for path in filter(is_checkpoint, (self.state, self.checkpoint)):
            command = command_of(path)
            if command != self.command:
                raise UserError(
                    f"{path} was made by {command or 'another program'}, not by {self.command}",
                    "choose another name, or remove it yourself",
                )
        check_ours(self.sheet)
        if os.path.lexists(self.log) and not all("epoch" in line for line in read_lines(self.log)):
            raise UserError(
                f"{self.log} exists and is not the log of a run",
                "choose another name, or remove it yourself",
            )

    def check_room(self, state: int) -> None:
        """Raise UserError if the disk cannot take two states of so many bytes.

        The next is written before the last is removed, and so is the checkpoint, which is smaller.
        """
        files = 1 if self.state.exists() else 2
        check_room(self.checkpoint.parent, "the state of the run", files=files, size=state)

    def finished(self, made_by: dict[str, Any], kind: str) -> bool:
        """Whether the checkpoint is there already; UserError if another run made it."""
        if self.state.exists() or not self.checkpoint.exists():
            return False
        meta = load_checkpoint(self.checkpoint, kind).meta
        self._check_same(meta.get("made_by"), made_by, self.checkpoint, _MAY_DIFFER)
        os.utime(self.checkpoint)  # up to date: make need not ask again
        return True

    def load_state(self, made_by: dict[str, Any]) -> Checkpoint | None:
        """The state to resume from, if there is one; UserError if it belongs to another run."""
        if not self.state.exists():
            return None
        state = load_checkpoint(self.state, UNFINISHED)
        self._check_same(state.meta.get("made_by"), made_by, self.state, _MAY_DIFFER | self.ends)
        self._resumed = state.meta
        return state

    def start_tracking(self, made_by: dict[str, Any]) -> None:
        """Open the run in the tracker, if one is asked for; after `load_state`, where it stopped.

        UserError if the tracker does not answer.
        """
        if self.tracker is None:
            return
        try:
            self.tracking = Tracking(
                self.tracker, self.checkpoint.stem, made_by["config"], self._resumed
            )
        except Wrong as error:
            raise UserError(
                f"{self.state}: the state of the run is damaged: {error}",
                f"start again with {option('force')}, or resume without {option('track')}",
            ) from None

    def conditions_changed(self, state: Checkpoint, made_by: dict[str, Any]) -> list[str]:
        """With what a state was written that is other now: "torch 2.10, now 2.11"."""
        before, now = _conditions(state.meta["made_by"]), _conditions(made_by)
        return [
            f"{name} {printable(str(before.get(name, 'unknown')))}, now {now[name]}"
            for name in sorted(now)
            if before.get(name) != now[name]
        ]

    def save_state(self, state: Checkpoint, made_by: dict[str, Any]) -> None:
        """Write the state, then the log up to it."""
        meta = {**state.meta, "kind": UNFINISHED, "made_by": made_by}
        if self.tracking is not None:
            meta |= self.tracking.header(state.meta["history"])
        save_checkpoint(self.state, Checkpoint(state.tensors, meta))
        self.write_log(state.meta["history"])

    def write_log(self, history: list[dict[str, Any]]) -> None:
        """Write the log, one line per epoch, and the same for TensorBoard and a tracker."""
        with new_file(self.log) as part:
            write_lines(part, history)
        if self.events is not None:
            self.events.parent.mkdir(parents=True, exist_ok=True)
            with new_file(self.events) as part:
                write_events(part, history)
        if self.tracking is not None:
            self.tracking.send(history)

    def write_sheet(self, write: Callable[[Path], None]) -> None:
        """Let `write` draw the sheet."""
        with new_file(self.sheet) as part:
            write(part)

    def finish(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint, and remove the state, which is no longer needed."""
        save_checkpoint(self.checkpoint, checkpoint)
        self.state.unlink(missing_ok=True)

    def _check_same(
        self, found: Any, wanted: dict[str, Any], path: Path, may_differ: frozenset[str]
    ) -> None:
        """Raise UserError if the file is of a run with other options or images."""
        if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
            raise UserError(f"{path}: does not say how it was made", _ANOTHER)
        if found.get("command") != wanted["command"]:
            raise UserError(f"{path} is of a run of {found.get('command')!r:.40}", _ANOTHER)
        own = {self.old_names.get(name, name): value for name, value in found["config"].items()}
        before, now = {**self.defaults, **own}, wanted["config"]
        for name in sorted(now.keys() - may_differ):
            if before.get(name) != now[name]:
                raise self._other_run(path, f"{name} {before.get(name)}, not {now[name]}")
        given = found.get("inputs")
        if isinstance(given, dict) and given.get(GROUPS) != wanted["inputs"].get(GROUPS):
            raise UserError(
                f"{path} is of a run with another {option(GROUPS)} list than is there now: other "
                "images were held out",
                f"restore the list, {_ANEW}",
            )
        if given != wanted["inputs"]:
            raise UserError(
                f"{path} is of a run on other images than are there now, or they had other names",
                f"restore the folder, {_ANEW}",
            )

    def _other_run(self, path: Path, difference: str) -> UserError:
        """The error for options with which a run is not resumed."""
        if path == self.checkpoint:
            return UserError(
                f"{path} is of a run that is complete, with {difference}: the state from which it "
                "could be resumed is gone",
                _ANEW,
            )
        return UserError(
            f"{path} is of a run with {difference}",
            f"resume with the same options, {_ANEW}",
        )


def _conditions(made_by: dict[str, Any]) -> dict[str, Any]:
    """What results depend on to the last digit, beside options and images."""
    versions = made_by.get("versions")
    known = versions if isinstance(versions, dict) else {}
    processes = made_by.get(PROCESSES, 1)
    return {**known, "threads": made_by.get("threads", "unknown"), PROCESSES: processes}
