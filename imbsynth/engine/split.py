"""`split`: stratified parts of a folder of images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imbsynth.configs import SplitConfig
from imbsynth.core.batches import Indices
from imbsynth.core.profiles import shares
from imbsynth.engine.evaluation.small_classes import few_to_judge_by
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.grouping import check_list, groups_of, parts_of_groups, suggestion
from imbsynth.engine.source_folders import copying
from imbsynth.errors import UserError
from imbsynth.runtime import stream, worker_count
from imbsynth.store.copies import copy_or_link, folder_digest
from imbsynth.store.folders import ImageFolder
from imbsynth.store.image_files import Survey, same_images, survey_all
from imbsynth.store.names import listing, number_of
from imbsynth.store.records import provenance, write_record

Parts = dict[str, dict[str, list[str]]]  # part -> class -> files
OnUnreadable = Callable[[Path, list[str], OnEvent], None]  # the folder, and files with the reason


@dataclass(frozen=True)
class Report:
    """What `split` prints."""

    counts: dict[str, dict[str, int]]  # part: {class: images}
    out: str


def run(config: SplitConfig, *, on_event: OnEvent = silent) -> Report:
    """Split the images of each class over the parts, each part with its share of every class."""
    with _begun(config) as (folder, part):
        check_list(config, folder)
        if not config.grouped and (text := suggestion(folder.files)):
            on_event(Note(text))
        report = _split(config, folder, part, on_event, _tell_of_unreadable)
        if config.folds is None:  # folds are judged together, by all images
            _explain_few(report.counts, on_event)
        return report


def run_on_part(config: SplitConfig, *, on_event: OnEvent = silent) -> Report:
    """`run`, without advice, on a folder that may be a part of the one whose groups are listed.

    Raises UserError for unreadable files in folds: whatever becomes of the others, the fold that
    tests on such a file fails.
    """
    with _begun(config) as (folder, part):
        return _split(config, folder, part, on_event, _refuse_unreadable if config.folds else None)


def _begun(config: SplitConfig) -> AbstractContextManager[tuple[ImageFolder, Path]]:
    return copying(config.src, config.dst, command="split", force=config.force)


def _split(
    config: SplitConfig,
    folder: ImageFolder,
    part: Path,
    on_event: OnEvent,
    on_unreadable: OnUnreadable | None,
) -> Report:
    _check(folder, len(config.shares()))
    groups = groups_of(config, folder.root, folder.paths())
    found = _survey(folder, on_event)
    unreadable = [f"{one.path} ({one.problem})" for one in found if one.problem]
    if unreadable and on_unreadable is not None:
        on_unreadable(folder.root, unreadable, on_event)
    if groups is None:
        part_of = _by_image(config, folder, found, on_event)
    else:
        part_of = _by_group(config, folder, found, groups, on_event)
    parts = _parts(config, folder, part_of)
    _check_filled(folder, parts)
    inputs = _write(config, parts, part, {one.path: one.digest for one in found}, on_event)
    record = provenance("split", config, inputs=inputs, libraries=("numpy",))
    if groups is not None:
        record["groups"] = dict(zip(folder.paths(), groups, strict=True))
    write_record(part, {**record, "files": parts})
    counts = {
        name: {label: len(files) for label, files in classes.items()}
        for name, classes in parts.items()
    }
    return Report(counts=counts, out=config.dst.as_posix())


def _tell_of_unreadable(_root: Path, files: list[str], on_event: OnEvent) -> None:
    on_event(
        Note(
            f"unreadable, and split like the others: {listing(files)}; commands that decode images "
            "stop at such files, or leave them out with --skip-unreadable"
        )
    )


def _refuse_unreadable(root: Path, files: list[str], _on_event: OnEvent) -> None:
    raise UserError(
        f"{root}: {number_of(len(files), 'unreadable file')}: {listing(files)}",
        "repair or remove them; `imbsynth inspect` lists them all",
    )


def _by_group(
    config: SplitConfig,
    folder: ImageFolder,
    found: list[Survey],
    groups: list[str],
    on_event: OnEvent,
) -> dict[str, int]:
    """The part of every path, groups and images that show the same in one."""
    images = [
        (one.path.split("/")[0], group, one.identity)
        for one, group in zip(found, groups, strict=True)
    ]
    rng = stream(config.seed, "split", "groups")
    part = parts_of_groups(folder.root, images, config.shares(), rng, on_event)
    return dict(zip(folder.paths(), part.tolist(), strict=True))


def _survey(folder: ImageFolder, on_event: OnEvent) -> list[Survey]:
    paths = folder.paths()
    on_event(Started("reading images", len(paths)))
    return survey_all(
        folder.root,
        paths,
        cores=worker_count(),
        on_progress=lambda done: on_event(Advanced(done)),
    )


def _write(
    config: SplitConfig, parts: Parts, part: Path, digests: dict[str, str], on_event: OnEvent
) -> dict[str, str]:
    """Put the files in place, and give the digest of each part."""
    total = sum(len(files) for classes in parts.values() for files in classes.values())
    on_event(Started("writing images", total))
    inputs, done = {}, 0
    for name, classes in parts.items():
        paths = [path for files in classes.values() for path in files]
        written = copy_or_link(
            config.src,
            paths,
            part / name,
            config.link,
            final=config.dst / name,
            expected=digests,
            on_progress=lambda n, before=done: on_event(Advanced(before + n)),  # type: ignore[misc]
        )
        done += len(paths)
        inputs[name] = folder_digest(paths, written)
    return inputs


def _check(folder: ImageFolder, parts: int) -> None:
    small = [name for name, n in folder.counts.items() if n < parts]
    if small:
        raise UserError(
            f"{folder.root}: fewer than {parts} images in class {listing(small)}",
            "each part needs one: add images, or ask for fewer parts",
        )


def _assigned(config: SplitConfig, folder: ImageFolder) -> list[int]:
    """For every image, which part it goes to: of `parts`, or the fold that tests it."""
    assigned: list[int] = []
    for name, files in folder.files.items():
        order = stream(config.seed, "split", name).permutation(len(files))
        part = np.empty_like(order)
        part[order] = _in_turn(config, len(files), begin=len(assigned))
        assigned += part.tolist()
    return assigned


def _in_turn(config: SplitConfig, count: int, *, begin: int) -> Indices:
    """The part of the first, second, ... image of a class, in the order in which it is drawn."""
    if config.folds:  # a class begins where the last one ended, so that folds are of one size
        return (np.arange(count) + begin) % config.folds
    sizes = shares(count, config.shares())
    return np.repeat(np.arange(len(sizes)), sizes)


def _by_image(
    config: SplitConfig, folder: ImageFolder, found: list[Survey], on_event: OnEvent
) -> dict[str, int]:
    """The part of every path, files that show the same image in one: none is its own test.

    They go to the first part that has one of them, which with fractions is the training part.
    """
    part_of = dict(zip(folder.paths(), _assigned(config, folder), strict=True))
    moved = 0
    for group in same_images(found):
        first = min(part_of[path] for path in group)
        moved += sum(part_of[path] != first for path in group)
        part_of.update(dict.fromkeys(group, first))
    if moved:
        on_event(Note(f"{moved} images were kept together with others that show the same"))
    return part_of


def _parts(config: SplitConfig, folder: ImageFolder, part_of: dict[str, int]) -> Parts:
    """part -> class -> files; of folds fold-I/train and fold-I/test."""
    if config.folds is None:
        chosen = {name: {i} for i, name in enumerate(config.parts())}
    else:
        everything = set(range(config.folds))
        chosen = {}
        for i in range(config.folds):
            chosen[f"fold-{i + 1}/train"] = everything - {i}
            chosen[f"fold-{i + 1}/test"] = {i}
    return {
        part: {
            name: [path for path in files if part_of[path] in wanted]
            for name, files in folder.files.items()
        }
        for part, wanted in chosen.items()
    }


def _check_filled(folder: ImageFolder, parts: Parts) -> None:
    """Raise UserError if equal images, kept together, leave a part without a class."""
    for part, classes in parts.items():
        empty = [name for name, files in classes.items() if not files]
        if empty:
            raise UserError(
                f"{folder.root}: too few different images in class {listing(empty)}: none is left "
                f"for {part}",
                "files that show the same image stay together: add images, or ask for fewer parts",
            )


def _explain_few(counts: dict[str, dict[str, int]], on_event: OnEvent) -> None:
    """Name the smallest class that a part judges by; the first part has those to train on."""
    part = min(list(counts)[1:], key=lambda part: (min(counts[part].values()), part))
    few = few_to_judge_by(counts[part])
    if few:
        on_event(Note(f"{part} has {few}; with cross-validation folds, every image is tested once"))
