"""`imbalance`: an imbalanced copy of a folder of images."""

from __future__ import annotations

from dataclasses import dataclass

from imbsynth.configs import ImbalanceConfig
from imbsynth.core import profiles
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.source_folders import copying
from imbsynth.errors import UserError, option
from imbsynth.runtime import stream
from imbsynth.store.copies import copy_or_link, folder_digest
from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing
from imbsynth.store.records import provenance, read_counts, write_record


@dataclass(frozen=True)
class Report:
    """What `imbalance` prints."""

    counts: dict[str, int]
    rho: float  # largest class / smallest class
    mu: float  # fraction of classes smaller than the largest
    images: int
    out: str


def run(config: ImbalanceConfig, *, on_event: OnEvent = silent) -> Report:
    """Draw images from each class, without replacement, into a new folder."""
    begun = copying(config.src, config.dst, command="imbalance", force=config.force)
    with begun as (folder, part):
        wanted = _wanted(config, folder.counts)
        _check(config, wanted, folder)
        if len(wanted) > 1 and profiles.rho(wanted) == 1:
            on_event(Note("all classes come out equal: no class was reduced"))
        chosen = {
            name: _draw(folder.files[name], n, config.seed, name) for name, n in wanted.items()
        }
        paths = [path for files in chosen.values() for path in files]
        on_event(Started("writing images", len(paths)))
        digests = copy_or_link(
            config.src,
            paths,
            part,
            config.link,
            final=config.dst,
            on_progress=lambda done: on_event(Advanced(done)),
        )
        record = provenance(
            "imbalance",
            config,
            inputs={"chosen": folder_digest(paths, digests)},
            libraries=("numpy",),
        )
        write_record(part, {**record, "counts": wanted, "files": chosen})
    return Report(
        counts=wanted,
        rho=profiles.rho(wanted),
        mu=profiles.mu(wanted),
        images=len(paths),
        out=config.dst.as_posix(),
    )


def _wanted(config: ImbalanceConfig, counts: dict[str, int]) -> dict[str, int]:
    """The number of images to keep of each class, in class-name order, as the options ask."""
    if config.counts is not None:
        return _given(config.counts, counts)
    if config.counts_file is not None:
        return _by_name(read_counts(config.counts_file), counts, config.counts_file)
    if config.ratio is None:
        raise TypeError("a config without a ratio has counts")
    if config.profile == "exp":
        return profiles.exponential(counts, config.ratio)
    if config.profile == "linear":
        return profiles.linear(counts, config.ratio)
    if config.profile == "step":
        return profiles.step(counts, config.ratio)
    rng = stream(config.seed, "imbalance", "minority")
    return profiles.equalised(counts, config.ratio, config.minority_fraction or 0.0, rng)


def _given(wanted: tuple[int, ...] | dict[str, int], counts: dict[str, int]) -> dict[str, int]:
    """The same where every class is given a number: in class-name order, or by its name."""
    if isinstance(wanted, dict):
        return _by_name(wanted, counts, option("counts"))
    if len(wanted) != len(counts):
        raise UserError(
            f"{option('counts')} has {len(wanted)} numbers for {len(counts)} classes",
            f"give one for each class, in this order: {listing(list(counts))}",
        )
    return dict(zip(counts, wanted, strict=True))


def _by_name(given: dict[str, int], counts: dict[str, int], where: object) -> dict[str, int]:
    """The sizes in class-name order; UserError unless each class is named once."""
    strange, missing = sorted(given.keys() - counts), sorted(counts.keys() - given)
    if strange or missing:
        problem = f"names no class {listing(strange)}" if strange else ""
        problem += " and " if strange and missing else ""
        problem += f"leaves out class {listing(missing)}" if missing else ""
        raise UserError(
            f"{where} {problem}", f"name each class of the folder once: {listing(list(counts))}"
        )
    return {name: given[name] for name in counts}


def _check(config: ImbalanceConfig, wanted: dict[str, int], folder: ImageFolder) -> None:
    ratio = option("ratio")
    for name, n in wanted.items():
        if n > folder.counts[name]:
            raise UserError(
                f"class {listing([name])} has {folder.counts[name]} images, and {n} are asked for",
                f"ask for at most {folder.counts[name]}, or add images to the class"
                if config.ratio is None
                else f"give a larger {ratio}, or start from a folder of more equal classes",
            )
        if n < 1:
            raise UserError(
                f"class {listing([name])} would be left with {n} images",
                f"leave at least one image in each class: a smaller {ratio}, or larger counts",
            )


def _draw(files: list[str], count: int, seed: int, name: str) -> list[str]:
    """`count` of the files; a smaller draw of the same seed is a part of a larger one."""
    order = stream(seed, "imbalance", name).permutation(len(files))
    return [files[i] for i in sorted(order[:count])]
