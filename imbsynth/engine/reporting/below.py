"""The outputs of imbsynth below a folder, by kind, and what else is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from imbsynth.configs import STATE
from imbsynth.errors import UserError
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.fields import Wrong, mapping, text, texts
from imbsynth.store.folders import IMAGE_SUFFIXES
from imbsynth.store.names import printable
from imbsynth.store.outputs import OUTPUTS, RECORD
from imbsynth.store.records import LEFT_OUT, METRICS, read_json
from imbsynth.store.trials import PROTOCOL, RESULTS, WORK
from imbsynth.store.walking import WalkedFolder, walk_inside

Result = TypeVar("Result")

Headers = dict[str, dict[str, Any]]  # of checkpoints, by path

# Commands whose folders hold images by class.
OF_IMAGES = ("imbalance", "split", "convert", "generate")
SUFFIX = ".safetensors"


class LeftOut(NamedTuple):
    """What a record says of an input folder not all of which was used."""

    whole: str  # the digest of the folder; "" if it is not known
    unreadable: list[str]


class Origin(NamedTuple):
    """How an output was made, as it says itself."""

    command: str
    config: dict[str, Any]
    inputs: dict[str, Any]  # digests of what was used, by option
    versions: dict[str, Any]
    left_out: Mapping[str, LeftOut] = MappingProxyType({})  # by option


class Output(NamedTuple):
    """A folder with a run.json."""

    origin: Origin
    record: dict[str, Any]  # the whole of it

    @property
    def files(self) -> list[str]:
        """What the command has written, by relative path."""
        found = self.record.get(OUTPUTS)
        return sorted(map(str, found)) if isinstance(found, dict) else []


@dataclass
class Below:
    """What was found; paths are relative to the root, with "/", and "." is the root itself."""

    root: Path
    outputs: dict[str, Output] = field(default_factory=dict)
    evaluations: list[str] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)
    checkpoints: Headers = field(default_factory=dict)
    class_folders: dict[str, dict[str, int]] = field(default_factory=dict)  # images by class
    problems: list[str] = field(default_factory=list)  # what could not be used, and why
    others: list[str] = field(default_factory=list)  # files that no part of the report shows
    picture_bytes: int = 0  # of the pictures that were taken so far

    def of(self, command: str) -> dict[str, Output]:
        """The folders that a command has made."""
        return {p: found for p, found in self.outputs.items() if found.origin.command == command}

    def checkpoints_of(self, kind: str) -> Headers:
        """The checkpoints of a command."""
        return {path: header for path, header in self.checkpoints.items() if header["kind"] == kind}

    def attempt(self, path: str, read: Callable[[], Result]) -> Result | None:
        """What `read` makes of a file; None, and a line among the problems, if it cannot."""
        try:
            return read()
        except UserError as error:
            problem = error.problem.replace(f"{self.root}/", "")
        except Wrong as error:
            problem = f"{printable(path)}: not as imbsynth writes it ({error})"
        if problem not in self.problems:  # parts may read the same file
            self.problems.append(problem)
        return None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to report on."""
        parts = (self.outputs, self.evaluations, self.experiments, self.checkpoints)
        return not any(parts) and not self.class_folders


def look_below(root: Path, apart: Path) -> Below:
    """Find the outputs below `root`; the file `apart` is none of them."""
    found = Below(root)
    images: dict[str, int] = {}  # by folder, those that belong to no output
    left = os.path.realpath(apart)
    for place in walk_inside(root):
        own = place.path.relative_to(root).as_posix()
        files = [name for name in place.files if os.path.realpath(place.path / name) != left]
        links = [_joined(own, name) for name in place.odd]
        found.problems += [
            f"{printable(path)}: a link, or not readable: left out" for path in links
        ]
        known = _outputs_in(found, place, own, set(files))
        pictures = {name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES}
        loose = pictures - known
        others = [name for name in files if name not in known | loose]
        if own != "." and len(loose) > len(others):  # else these are pictures beside tables
            images[own] = len(loose)
        else:
            others += sorted(loose)
        found.others += [_joined(own, name) for name in others]
    _sort_images(found, images)
    return found


def _outputs_in(found: Below, place: WalkedFolder, own: str, files: set[str]) -> set[str]:
    """Note the outputs in one folder, and do not enter what only they need; their files."""
    known: set[str] = set()
    if PROTOCOL in files:
        place.folders[:] = [name for name in place.folders if name not in {*RESULTS, WORK}]
        found.experiments.append(own)
        known |= {name for name in files if name.endswith(".png")} | {PROTOCOL}
    if METRICS in files:
        found.evaluations.append(own)
        known.add(METRICS)
    if RECORD in files:
        known.add(RECORD)
        output = found.attempt(_joined(own, RECORD), lambda: read_output(place.path / RECORD))
        if output is not None:
            found.outputs[own] = output
            known |= files & set(output.files)
            if output.origin.command in OF_IMAGES:
                place.folders.clear()
    for name in sorted(files):
        if name.endswith(SUFFIX):
            known |= _checkpoint_in(found, own, name, files)
    return known


def _checkpoint_in(found: Below, own: str, name: str, files: set[str]) -> set[str]:
    """Note a checkpoint; its file, and those that belong to it."""
    path, stem = _joined(own, name), name.removesuffix(SUFFIX)
    if stem.endswith(STATE):
        found.problems.append(f"{printable(path)}: a training that is not complete")
        return {name}
    header = found.attempt(path, lambda: read_header(found.root / path))
    if header is None:
        return {name}
    found.checkpoints[path] = header
    return {name, *({f"{stem}.png", f"{stem}.jsonl"} & files)}


def read_output(path: Path) -> Output:
    """The run.json of a folder; UserError or Wrong if it is none of ours."""
    record = read_json(path)
    return Output(origin_of(record), record)


def origin_of(record: Mapping[str, Any]) -> Origin:
    """How an output was made; Wrong if it does not say."""
    found = mapping(record, LEFT_OUT) if LEFT_OUT in record else {}
    folders = {name: mapping(found, name) for name in found}
    return Origin(
        text(record, "command"),
        mapping(record, "config"),
        mapping(record, "inputs"),
        mapping(record, "versions"),
        {
            name: LeftOut(text(folder, "folder"), texts(folder, "unreadable"))
            for name, folder in folders.items()
        },
    )


def _sort_images(found: Below, images: Mapping[str, int]) -> None:
    """Tell folders with two classes or more from images that lie about."""
    by_parent: dict[str, dict[str, int]] = {}
    for path, count in images.items():
        parent, _, name = path.rpartition("/")
        by_parent.setdefault(parent or ".", {})[name] = count
    for parent, counts in sorted(by_parent.items()):
        if len(counts) > 1:
            found.class_folders[parent] = counts
        else:
            found.others += [f"{_joined(parent, name)}/ ({n} images)" for name, n in counts.items()]


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
