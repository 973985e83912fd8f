"""`fid`: how far synthetic images are from real ones, pooled and class by class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imbsynth.configs import FidConfig
from imbsynth.core.maps import plane
from imbsynth.engine.distances.cache import StatisticsCache
from imbsynth.engine.distances.comparison import Cloud, Comparison, Numbers
from imbsynth.engine.distances.features import Extractor, extractor_for
from imbsynth.engine.distances.measuring import Measuring
from imbsynth.engine.distances.sides import units_of
from imbsynth.engine.events import Note, OnEvent, Started, silent
from imbsynth.figures.distance_chart import Chart, Panel, write_chart
from imbsynth.runtime import stream
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, check_file_target, claim, new_file

SMALL = 2048  # images below which the distance is biased upwards by enough to say so


@dataclass(frozen=True)
class Report:
    """What `fid` prints; `kid` and what follows are None unless asked for, or impossible."""

    fid: float  # the Fréchet distance of all images
    metric: str  # "FID" with Inception's features, else "Fréchet distance"
    features: str
    n_real: int
    n_fake: int
    small: bool  # fewer than 2,048 images on a side: biased upwards
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
    """Compare the images of two folders, or the two kinds of image in a folder of `generate`."""
    _check_outputs(config)
    units = units_of(config, on_event)
    files = [(unit.root, path) for unit in units for path in unit.paths]
    extractor = extractor_for(config, files, on_event)
    cache = StatisticsCache(config.cache, extractor.identity, on_event) if config.cache else None
    sampling = config.kid or config.precision_recall or config.plot is not None
    measuring = Measuring(extractor, cache, on_event, sampling=sampling, seed=config.seed)
    comparison = Comparison(config, units, extractor.dim)
    for unit, kept in measuring.measured(units):
        comparison.add(unit, kept)
        del kept  # a scatter matrix, not to be held while the next unit is measured
    report = _report(config, extractor, comparison, measuring.skipped)
    _warn(report, on_event)
    if config.plot is not None:
        on_event(Started("drawing", len(comparison.clouds), "classes"))
        with claim(config.plot), new_file(config.plot, force=config.force) as part:
            write_chart(part, _chart(report, comparison.clouds, config.seed))
    return report


def _check_outputs(config: FidConfig) -> None:
    """Raise UserError now for what could not be written at the end of a long run."""
    for output in (config.plot, config.cache):
        for folder in (config.real, config.fake):
            if output is not None and folder is not None:
                check_apart(folder, output)
    if config.plot is not None:
        check_file_target(config.plot, force=config.force)


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
    """Say what a reader of the numbers must know."""
    if report.left_out:
        left_out = [f"{name} ({why})" for name, why in report.left_out.items()]
        on_event(Note(f"without a number, and not in the mean: class {listing(left_out)}"))
    biased = [name for name, numbers in report.per_class.items() if is_small(numbers)]
    if report.small or biased:
        where = "all images" if report.small else f"class {listing(biased)}"
        on_event(
            Note(
                f"fewer than {SMALL:,} images in {where}: the {report.metric} of so few is too "
                "high, the more so the fewer; compare it only between equal numbers of images, "
                "or see --kid, which has no such bias"
            )
        )


def is_small(numbers: Numbers) -> bool:
    """Whether a distance is of so few images that it is biased upwards."""
    return min(numbers["n_real"], numbers["n_fake"]) < SMALL


def _chart(report: Report, clouds: list[Cloud], seed: int) -> Chart:
    """The numbers, and all points on one plane."""
    parts = [features for cloud in clouds for features in (cloud.real, cloud.fake)]
    panels = []
    if parts:
        positions = plane(torch.cat(parts).numpy(), stream(seed, "fid", "map"))
        ends = np.cumsum([len(features) for features in parts])[:-1]
        split: list[NDArray[np.float32]] = np.split(positions, ends)
        panels = [
            Panel(cloud.name, real, fake)
            for cloud, real, fake in zip(clouds, split[::2], split[1::2], strict=True)
        ]
    bars = {name: numbers["fid"] for name, numbers in report.per_class.items()}
    return Chart(f"{report.metric} ({report.features})", report.fid, bars, panels)
