"""`inspect`: what a folder of images holds, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from imbsynth.configs import InspectConfig
from imbsynth.core.near_duplicates import SIDE
from imbsynth.core.profiles import mu, rho
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.inspecting.near_duplicates import NearDuplicates, find_near
from imbsynth.engine.inspecting.pictures import write_pairs
from imbsynth.engine.manifest import synthetic_among
from imbsynth.engine.source_folders import loose_images
from imbsynth.runtime import worker_count
from imbsynth.store.folders import scan
from imbsynth.store.image_files import Survey, same_images, survey_all
from imbsynth.store.levels import hint
from imbsynth.store.outputs import check_apart, check_file_target, claim, new_file
from imbsynth.store.pictures import check_ours


@dataclass(frozen=True)
class Report:
    """What `inspect` prints."""

    counts: dict[str, int]  # images per class, unreadable ones included
    synthetic: dict[str, int]  # how many of them have the name of a synthetic image
    rho: float  # largest class / smallest class
    mu: float  # fraction of classes smaller than the largest
    images: int
    sizes: dict[str, int]  # "HxW" in pixels: images
    modes: dict[str, int]  # Pillow's name for how images are stored: images
    unreadable: list[str]
    reasons: dict[str, str]  # unreadable path: why
    duplicates: list[list[str]]  # the same image in more than one class, in whatever bytes
    repeated: int  # further copies of an image within its class
    ignored: int  # hidden files and files that are not images
    transparent: int  # images that will be composited on black
    level: str  # what to say if the folder was given one level too high; "" otherwise
    near_duplicates: (
        NearDuplicates  # "within" a class, "across" classes, "against" the other folder
    )
    in_both: list[list[str]]  # the same image in the other folder: its path here, and there
    plot: str | None


def run(config: InspectConfig, *, on_event: OnEvent = silent) -> Report:
    """Read and decode every image of a folder; changes nothing."""
    _check_plot(config)
    folder = scan(config.src)
    others = None if config.against is None else loose_images(config.against)
    found = _survey(config, config.src, folder.paths(), on_event)
    duplicates, repeated = _repeated(found)
    near: NearDuplicates = {}
    if config.near_duplicates:
        near |= find_near(found, None, on_event)
    in_both: list[list[str]] = []
    if config.against is not None and others is not None:
        there = _survey(config, config.against, others, on_event)
        near |= find_near(found, there, on_event)
        in_both = _in_both(found, there)
    plot = _draw(config, near, on_event)
    reasons = {one.path: one.problem for one in found if one.problem}
    reasons |= dict.fromkeys(folder.irregular, "not a regular file")
    counts = Counter(path.split("/")[0] for path in folder.irregular)
    counts.update(folder.counts)
    made = Counter(path.split("/")[0] for path in synthetic_among(folder.paths(), {}))
    return Report(
        counts={name: counts[name] for name in folder.files},
        synthetic={name: made[name] for name in folder.files},
        rho=rho(counts),
        mu=mu(counts),
        images=sum(counts.values()),
        sizes=_tally([one.size for one in found if not one.problem]),
        modes=_tally([one.mode for one in found if not one.problem]),
        unreadable=sorted(reasons),
        reasons=dict(sorted(reasons.items())),
        duplicates=duplicates,
        repeated=repeated,
        ignored=folder.ignored,
        transparent=sum(one.alpha for one in found),
        level=hint(folder),
        near_duplicates=near,
        in_both=in_both,
        plot=plot,
    )


def _check_plot(config: InspectConfig) -> None:
    """Raise UserError at once if the picture could not be written at the end."""
    if config.plot is not None:
        for folder in filter(None, (config.src, config.against)):
            check_apart(folder, config.plot)
        check_file_target(config.plot, force=config.force)
        check_ours(config.plot)


def _survey(config: InspectConfig, root: Path, paths: list[str], on_event: OnEvent) -> list[Survey]:
    on_event(Started("reading images", len(paths)))
    compared = config.near_duplicates or config.against is not None
    return survey_all(
        root,
        paths,
        cores=worker_count(),
        on_progress=lambda done: on_event(Advanced(done)),
        thumb=SIDE if compared else None,
    )


def _in_both(here: list[Survey], there: list[Survey]) -> list[list[str]]:
    """The images of another folder that are in this one: their first path here, and there."""
    first = {one.identity: one.path for one in reversed(here) if not one.problem}
    return [[first[one.identity], one.path] for one in there if one.identity in first]


def _draw(config: InspectConfig, near: NearDuplicates, on_event: OnEvent) -> str | None:
    """Write the picture that is asked for, if there is something in it; where it is."""
    if config.plot is None:
        return None
    if not any(kind.pairs for kind in near.values()):
        on_event(Note("no images are nearly the same: there is nothing to draw"))
        return None
    with claim(config.plot), new_file(config.plot, force=config.force) as part:
        write_pairs(part, near, config.src, config.against)
    return config.plot.as_posix()


def _tally(values: list[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _repeated(found: list[Survey]) -> tuple[list[list[str]], int]:
    """Groups of equal images in several classes, and the number of copies within a class."""
    across, within = [], 0
    for paths in same_images(found):
        classes = {path.split("/")[0] for path in paths}
        within += len(paths) - len(classes)
        if len(classes) > 1:
            across.append(paths)
    return across, within
