"""Images that belong together: what a user says of them, and parts that do not separate them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from imbsynth.configs.grouping import Grouped
from imbsynth.core.batches import Indices
from imbsynth.core.groups import joined, split_groups
from imbsynth.engine.events import Note, OnEvent
from imbsynth.errors import UserError, option
from imbsynth.store.folders import ImageFolder
from imbsynth.store.group_lists import read_groups
from imbsynth.store.names import listing, printable

RUNS = r"^(.*\D)\d+\.\w+$"  # finds what comes before the last number of a file name
FRAMES = 3  # as many files with one such beginning are a run


def groups_of(config: Grouped, root: Path, paths: Sequence[str]) -> list[str] | None:
    """The group of each of these files of a folder, by name; None if none are asked for.

    paths: relative to `root`. A list may name other files too: the folder may be a part of the one
    that it is for. Raises UserError for a file without a group.
    """
    if config.groups is not None:
        listed = read_groups(config.groups)
        missing = [path for path in paths if path not in listed]
        if missing:
            raise UserError(
                f"{config.groups}: no line for {listing(missing)} in {root}",
                f"add a line for every image, like `{printable(missing[0])},NAME`; an image that "
                "belongs to no other has a group of its own",
            )
        return [listed[path].group for path in paths]
    if config.group_pattern is not None:
        return _matched(config.group_pattern, root, paths)
    return None


def check_list(config: Grouped, folder: ImageFolder) -> None:
    """Raise UserError if a list of groups names files that the folder does not have."""
    if config.groups is None:
        return
    known = set(folder.paths())
    strange = [(line.number, path) for path, line in read_groups(config.groups).items()]
    strange = [(number, path) for number, path in strange if path not in known]
    if strange:
        number, path = strange[0]
        more = f" (and {len(strange) - 1} lines more)" if len(strange) > 1 else ""
        raise UserError(
            f"{config.groups}: line {number}: {folder.root} has no image {printable(path)}{more}",
            f"write paths relative to the folder, like {printable(folder.paths()[0])}, or remove "
            "the line",
        )


def _matched(pattern: str, root: Path, paths: Sequence[str]) -> list[str]:
    """What the pattern finds in each path; UserError names files in which it finds nothing."""
    expression = re.compile(pattern)
    which = "group" if "group" in expression.groupindex else 1
    searched = paths if "/" in pattern else [path.rsplit("/", 1)[-1] for path in paths]
    found = [expression.search(text) for text in searched]
    names = [None if match is None else match[which] for match in found]
    unmatched = [path for path, name in zip(paths, names, strict=True) if name is None]
    if unmatched:
        raise UserError(
            f"{option('group_pattern')} '{pattern}' finds no group in {listing(unmatched)} of "
            f"{root}",
            "change it so that it finds one in every file, or list the groups of the files with "
            f"{option('groups')} FILE.csv",
        )
    return [name for name in names if name is not None]


def suggestion(files: Mapping[str, Sequence[str]]) -> str:
    """What to say where file names look like runs of frames that should stay together; else "".

    They do if most images are in classes of which most files belong to runs: several beginnings,
    each with several files that differ in the number at the end. files: paths by class.
    """
    runs = {name: _runs(own) for name, own in files.items()}
    in_runs = sum(sum(found.values()) for found in runs.values())
    if 2 * in_runs <= sum(map(len, files.values())):
        return ""
    name = max(runs, key=lambda name: sum(runs[name].values()))
    start, frames = max(runs[name].items(), key=lambda item: item[1])
    example = next(path for path in files[name] if path.rsplit("/", 1)[-1].startswith(start))
    return (
        f"file names such as {printable(example)} look like runs of related images ({frames} of "
        f"them begin with {printable(start)}): frames of one film, images of one patient. If they "
        "are, images of one run in several parts make scores too good: keep runs together with "
        f"the option group-pattern, here '{RUNS}'"
    )


def _runs(files: Sequence[str]) -> Counter[str]:
    """The beginnings that are runs, with their numbers of files; none if most files are in none."""
    names = [path.rsplit("/", 1)[-1] for path in files]
    starts = Counter(match[1] for name in names if (match := re.search(RUNS, name)))
    runs = Counter({start: n for start, n in starts.items() if n >= FRAMES})
    return runs if len(runs) > 1 and 2 * runs.total() > len(files) else Counter()


def parts_of_groups(
    where: Path,
    images: Sequence[tuple[str, str, str]],
    shares: Sequence[float],
    rng: np.random.Generator,
    on_event: OnEvent,
) -> Indices:
    """(n,): the part of each image, so that no part separates a group or copies of an image.

    images: of each its class, its group, and the digest of what it shows. shares: of the parts,
    adding up to 1. Raises UserError for a class with fewer groups than there are parts, or if none
    of the splits that were found has every class in every part.
    """
    classes = list(dict.fromkeys(name for name, _, _ in images))
    labels = np.array([classes.index(name) for name, _, _ in images], np.int64)
    unit = joined([("group", group), ("shows", digest)] for _, group, digest in images)
    counts = np.zeros((unit.max() + 1, len(classes)), np.int64)
    np.add.at(counts, (unit, labels), 1)
    if lost := len({group for _, group, _ in images}) - len(counts):
        on_event(Note(f"{lost} groups were joined to others that have the same image"))
    _check_groups(where, dict(zip(classes, (counts > 0).sum(0).tolist(), strict=True)), shares)
    part = split_groups(counts, shares, rng)
    for i in range(len(shares)):
        empty = [classes[label] for label in np.flatnonzero(counts[part == i].sum(0) == 0)]
        if empty:
            raise UserError(
                f"{where}: no split by group was found that has class {listing(empty)} in every "
                "part",
                f"ask for fewer parts or smaller groups, or try another {option('seed')}",
            )
    return part[unit]


def _check_groups(where: Path, groups: dict[str, int], shares: Sequence[float]) -> None:
    few = [f"{name} ({n})" for name, n in groups.items() if n < len(shares)]
    if few:
        raise UserError(
            f"{where}: fewer than {len(shares)} groups in class {listing(few)}",
            "a group stays in one part, and every part needs every class: add images of other "
            "groups, ask for fewer parts, or leave out the class",
        )
