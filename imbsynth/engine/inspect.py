"""`inspect`: what a folder of images holds, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from imbsynth.configs import InspectConfig
from imbsynth.core.profiles import mu, rho
from imbsynth.engine.events import Advanced, OnEvent, Started, silent
from imbsynth.runtime import worker_count
from imbsynth.store.folders import scan
from imbsynth.store.image_files import Survey, same_images, survey_all
from imbsynth.store.levels import hint


@dataclass(frozen=True)
class Report:
    """What `inspect` prints."""

    counts: dict[str, int]  # images per class, unreadable ones included
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


def run(config: InspectConfig, *, on_event: OnEvent = silent) -> Report:
    """Read and decode every image of a folder; changes nothing."""
    folder = scan(config.src)
    paths = folder.paths()
    on_event(Started("reading images", len(paths)))
    found = survey_all(
        config.src,
        paths,
        cores=worker_count(),
        on_progress=lambda done: on_event(Advanced(done)),
    )
    duplicates, repeated = _repeated(found)
    reasons = {one.path: one.problem for one in found if one.problem}
    reasons |= dict.fromkeys(folder.irregular, "not a regular file")
    counts = Counter(path.split("/")[0] for path in folder.irregular)
    counts.update(folder.counts)
    return Report(
        counts={name: counts[name] for name in folder.files},
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
    )


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
