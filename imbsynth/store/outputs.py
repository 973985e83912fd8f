"""Outputs that appear whole or not at all, with one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imbsynth.errors import Busy, UserError, option
from imbsynth.store.fields import Wrong, as_mapping, mapping, parsed
from imbsynth.store.inventory import strange_files
from imbsynth.store.names import listing
from imbsynth.store.places import is_mount_point, lies_in

RECORD = "run.json"  # the file by which a folder is known to be one of ours
OUTPUTS = "outputs"  # in the record: the inventory of the folder's files

_ADVICE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on the size of a file (`ulimit -f`)",
}


@contextmanager
def new_folder(target: Path, *, command: str, force: bool) -> Iterator[Path]:
    """A folder to fill, renamed to `target` when the block ends well and removed otherwise.

    Raises UserError if `target` exists (with `force`: if it is not a folder of this command, or
    holds other files), if another process is writing it, or if it cannot be written.
    """
    part, old, gone = (_beside(target, role) for role in ("part", "old", "gone"))
    with _explained(target):
        if not os.path.lexists(old):
            check_folder_target(target, command=command, force=force)
    with _writing(target):
        if os.path.lexists(old):
            _mend(old, target)
            check_folder_target(target, command=command, force=force)
        _remove(part)
        _remove(gone)
        part.mkdir(parents=True)
        try:
            yield part
            check_folder_target(target, command=command, force=force)
            _put_in_place(part, target)
        finally:
            if part.exists():
                os.rename(part, gone)  # in which other processes of the run write no further file
                _remove(gone)


@contextmanager
def new_file(target: Path, *, force: bool = True) -> Iterator[Path]:
    """A path to write, renamed to `target` when the block ends well and removed otherwise.

    The caller holds `claim(target)` or writes a file that no other process does. Raises UserError
    if it exists (unless `force`) or cannot be written.
    """
    check_file_target(target, force=force)
    part = _beside(target, "part")
    with _explained(target):
        try:
            yield part
            check_file_target(target, force=force)
            _flush(part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the bytes on the disk before the name points to them: the machine may go down too."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


@contextmanager
def claim(target: Path) -> Iterator[None]:
    """Be the only process that writes `target`; UserError if another one does.

    A lock on a hidden file beside it: the system releases it however the process ends.
    """
    with _writing(target):
        yield


def check_folder_target(target: Path, *, command: str, force: bool) -> None:
    """Raise UserError if writing the folder `target` would destroy something."""
    if target.name in ("", "..") or is_mount_point(target):
        raise UserError(
            f"{target}: no folder can be put in place of the current one or of a mount point",
            f"choose a new folder in it, like {target / 'out'}",
        )
    if not os.path.lexists(target) or _is_empty_folder(target):
        return
    if not force:
        raise UserError(
            f"{target} exists", f"choose another folder, or replace it with {option('force')}"
        )
    record = None if target.is_symlink() else _record(target)
    if record is None:
        raise UserError(
            f"{target} exists and was not made by imbsynth (it has no {RECORD} of ours)",
            "choose another folder, or remove it yourself",
        )
    _check_replaceable(target, command, record)


def _record(folder: Path) -> dict[str, Any] | None:
    """The record of a run of imbsynth that the folder carries; None if it has none."""
    if not (folder / RECORD).is_file():
        return None
    try:
        record = as_mapping(parsed((folder / RECORD).read_bytes()), RECORD)
        known = "command" in record and "imbsynth" in mapping(record, "versions")
        return record if known else None
    except (OSError, Wrong):
        return None


def _check_replaceable(target: Path, command: str, record: dict[str, Any]) -> None:
    """Raise UserError unless the folder is just what an earlier run of the command has made."""
    remove = "choose another folder, or remove it yourself"
    if record["command"] != command:
        raise UserError(f"{target} was made by another command, not by {command}", remove)
    known = record.get(OUTPUTS)
    if not isinstance(known, dict):
        raise UserError(f"{target}: its {RECORD} does not list its files (version 0.1)", remove)
    strange = strange_files(target, known, apart=RECORD)
    if strange:
        raise UserError(
            f"{target} holds {len(strange)} files that are not as {command} made them: "
            f"{listing(strange)}",
            "move them elsewhere, or choose another folder",
        )


def check_file_target(target: Path, *, force: bool) -> None:
    """Raise UserError if writing the file `target` would destroy something."""
    if os.path.isdir(target):
        raise UserError(f"{target} is a folder", "give the path of a file")
    if is_mount_point(target):
        raise UserError(
            f"{target} is a mount point: no file can be put in its place",
            "choose another name",
        )
    if os.path.lexists(target) and not force:
        raise UserError(
            f"{target} exists", f"choose another name, or replace it with {option('force')}"
        )


def check_apart(src: Path, dst: Path) -> None:
    """Raise UserError if an output lies in an input, files or folders, or the other way round."""
    if where := "lies in" if lies_in(dst, src) else "holds" if lies_in(src, dst) else "":
        raise UserError(f"{dst} {where} {src}", "choose an output outside the input")


def check_outside(place: Path | None, *folders: Path | None) -> None:
    """Raise UserError if a place to write lies in one of the folders; None stands for none."""
    for folder in folders:
        if place is not None and folder is not None and lies_in(place, folder):
            raise UserError(f"{place} lies in {folder}", "choose a place outside of it")


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Hold the lock of `target`, and turn what the system says against writing into advice."""
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _beside(target, "lock")
        descriptor = _locked(lock, target)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(lock: Path, target: Path) -> int:
    """A descriptor that holds the lock file, which is still the one of that name."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_file_of(descriptor, lock):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise Busy(
                f"{target} is being written by another process",
                "wait for it, or choose another name",
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_file_of(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that `path` names: another process may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our messages has gone: this is not about the target
    except OSError as error:
        raise UserError(
            f"{error.filename or target}: cannot be written ({error.strerror or error})",
            _ADVICE.get(error.errno or 0, "choose a place where you may write"),
        ) from error


def _put_in_place(part: Path, target: Path) -> None:
    """Rename; an old folder of ours is moved aside first and removed when the new one is there."""
    old = _beside(target, "old")
    _remove(old)
    if os.path.lexists(target) and not _is_empty_folder(target):
        os.rename(target, old)
    try:
        os.rename(part, target)
    except BaseException:
        if os.path.lexists(old):
            os.rename(old, target)
        raise
    _remove(old)


def _mend(old: Path, target: Path) -> None:
    """Undo, or complete, a replacement during which a process was killed."""
    if os.path.lexists(target):
        _remove(old)
    else:
        os.rename(old, target)


def _beside(target: Path, role: str) -> Path:
    return target.absolute().parent / f".{target.absolute().name}.imbsynth-{role}"


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not os.listdir(path)


def _remove(path: Path) -> None:
    if os.path.lexists(path):
        shutil.rmtree(path)
