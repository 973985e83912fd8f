"""`fid`: how far synthetic images are from real ones, pooled and class by class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import FidConfig
from imbsynth.core.maps import project_to_2d
from imbsynth.engine.distances.cache import StatisticsCache
from imbsynth.engine.distances.classes import classes_of
from imbsynth.engine.distances.comparison import ClassFeatures, Comparison, Numbers
from imbsynth.engine.distances.features import Extractor, extractor_for
from imbsynth.engine.distances.measuring import Measurer
from imbsynth.engine.events import Note, OnEvent, Started, silent
from imbsynth.engine.processes import check_same_images
from imbsynth.figures.distance_chart import Chart, ClassPoints, write_chart
from imbsynth.runtime import joined, resolve_device, stream
from imbsynth.store.folders import digest_of
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, check_file_target, check_outside, claim, new_file
from imbsynth.store.pictures import check_ours

SMALL = 2048  # images below which the distance is biased upwards by enough to say so


@dataclass(frozen=True)
class Report:
    """What `fid` prints; `kid` to `coverage` are None unless asked for and possible."""

    fid: float  # the Fréchet distance of all images
    metric: str  # "FID" with Inception's features, else "Fréchet distance"
    features: str
    n_real: int
    n_fake: int
    small: bool  # fewer than 2,048 real or synthetic images: biased upwards
    per_class: dict[str, Numbers]  # fid, n_real, n_fake, and what was asked for
    class_mean: float | None  # of the classes' distances
    left_out: dict[str, str]  # class: why it has no distance
    kid: float | None = None
    kid_std: float | None = None  # standard error of kid
    precision: float | None = None
    recall: float | None = None
    density: float | None = None
    coverage: float | None = None
    skipped: list[str] = field(default_factory=list)  # unreadable files
    made_with: dict[str, Any] = field(default_factory=dict)  # all that the features depend on
    plot: str | None = None


def run(config: FidConfig, *, on_event: OnEvent = silent) -> Report:
    """Compare the images of two folders, or real and synthetic ones in a folder of `generate`.

    Several processes may do it together: each computes the features of its share of the images,
    and the first one compares them.
    """
    _check_outputs(config)
    with joined(resolve_device(config.device)) as world:
        on_event = on_event if world.is_writer else silent
        classes = classes_of(config, on_event)
        paths = [str(images.root / path) for images in classes for path in images.paths]
        names = "\n".join(paths).encode("utf-8", "surrogateescape")
        check_same_images({"names": digest_of(names)}, world)
        extractor = extractor_for(config, paths, on_event)
        cache = None
        if config.cache is not None and world.is_writer:
            cache = StatisticsCache(config.cache, extractor.identity, extractor.dim, on_event)
        sampling = config.kid or config.precision_recall or config.plot is not None
        measurer = Measurer(
            extractor, cache, on_event, sampling=sampling, seed=config.seed, world=world
        )
        comparison = Comparison(config, classes, extractor.dim)
        measurer.measure(classes, comparison.add if world.is_writer else lambda *_: None)
        found = (config, extractor, comparison, measurer.skipped)
        return world.told(lambda: _finished(*found, on_event))


def _finished(
    config: FidConfig,
    extractor: Extractor,
    comparison: Comparison,
    skipped: list[str],
    on_event: OnEvent,
) -> Report:
    """Compare, draw what is to be drawn, and say what a reader must know."""
    report = _report(config, extractor, comparison, skipped)
    _warn(report, on_event)
    if config.plot is not None:
        on_event(Started("drawing", len(comparison.to_map), "classes"))
        with claim(config.plot), new_file(config.plot, force=config.force) as part:
            write_chart(part, _chart(report, comparison.to_map, config.seed))
    return report


def _check_outputs(config: FidConfig) -> None:
    """Raise UserError at once if the outputs could not be written at the end of a long run."""
    check_outside(config.cache, config.real, config.fake)  # it may have folders of images in it
    if config.plot is not None:
        for folder in filter(None, (config.real, config.fake)):
            check_apart(folder, config.plot)
        check_file_target(config.plot, force=config.force)
        check_ours(config.plot)


def _report(
    config: FidConfig, extractor: Extractor, comparison: Comparison, skipped: list[str]
) -> Report:
    pooled = comparison.pooled()
    small = is_small(pooled)
    distances = [numbers["fid"] for numbers in comparison.per_class.values()]
    return Report(
        fid=pooled.pop("fid"),
        metric="FID" if extractor.is_inception else "Fréchet distance",
        features=extractor.name,
        n_real=int(pooled.pop("n_real")),
        n_fake=int(pooled.pop("n_fake")),
        small=small,
        per_class=comparison.per_class,
        class_mean=sum(distances) / len(distances) if distances else None,
        left_out=comparison.left_out(),
        skipped=skipped,
        made_with=extractor.identity,
        plot=config.plot.as_posix() if config.plot else None,
        **pooled,
    )


def _warn(report: Report, on_event: OnEvent) -> None:
    """Tell what a reader of the numbers must know."""
    if report.left_out:
        left_out = [f"{name} ({why})" for name, why in report.left_out.items()]
        on_event(Note(f"without a number, and not in the mean: class {listing(left_out)}"))
    biased = [name for name, numbers in report.per_class.items() if is_small(numbers)]
    if report.small or biased:
        where = "all images" if report.small else f"class {listing(biased)}"
        on_event(
            Note(
                f"fewer than {SMALL:,} images in {where}: the {report.metric} is biased upwards, "
                "and more so the fewer images there are; compare it only between equal numbers of "
                "images, or use kid, which has no such bias"
            )
        )


def is_small(numbers: Numbers) -> bool:
    """Whether there are so few images that the distance is biased upwards."""
    return min(numbers["n_real"], numbers["n_fake"]) < SMALL


def _chart(report: Report, classes: list[ClassFeatures], seed: int) -> Chart:
    """The numbers, and the features of all classes on one map."""
    parts = [features for one in classes for features in (one.real, one.fake)]
    points = []
    if parts:
        positions = project_to_2d(torch.cat(parts).numpy(), stream(seed, "fid", "map"))
        ends = np.cumsum([len(features) for features in parts])[:-1]
        split: list[NDArray[np.float32]] = np.split(positions, ends)
        points = [
            ClassPoints(one.name, real, fake)
            for one, real, fake in zip(classes, split[::2], split[1::2], strict=True)
        ]
    bars = {name: numbers["fid"] for name, numbers in report.per_class.items()}
    return Chart(f"{report.metric} ({report.features})", report.fid, bars, points)
