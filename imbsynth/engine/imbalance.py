"""`imbalance`: an imbalanced copy of a folder of images."""

from __future__ import annotations

from dataclasses import dataclass

from imbsynth.configs import ImbalanceConfig
from imbsynth.core import profiles
from imbsynth.engine.events import Advanced, Note, OnEvent, Started, silent
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.runtime import stream
from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import provenance, read_counts, write_record
from imbsynth.store.transfer import folder_digest, transfer


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
    check_apart(config.src, config.dst)
    with new_folder(config.dst, force=config.force) as part:
        folder = scan_regular(config.src)
        wanted = _wanted(config, folder.counts)
        _check(config, wanted, folder)
        if len(wanted) > 1 and profiles.rho(wanted) == 1:
            on_event(Note("all classes come out equal: no class was cut"))
        chosen = {
            name: _draw(folder.files[name], n, config.seed, name) for name, n in wanted.items()
        }
        paths = [path for files in chosen.values() for path in files]
        on_event(Started("writing images", len(paths)))
        digests = transfer(
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
    """Images a class, in class-name order, in the way that was asked for."""
    if config.counts is not None:
        return dict(zip(counts, _listed(config.counts, list(counts)), strict=True))
    if config.counts_file is not None:
        given = read_counts(config.counts_file)
        strange, missing = sorted(given.keys() - counts), sorted(counts.keys() - given)
        if strange or missing:
            problem = f"names no class {listing(strange)}" if strange else ""
            problem += " and " if strange and missing else ""
            problem += f"leaves out class {listing(missing)}" if missing else ""
            raise UserError(
                f"{config.counts_file} {problem}",
                f"name each class of {config.src} once: {listing(list(counts))}",
            )
        return {name: given[name] for name in counts}
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


def _listed(text: str, names: list[str]) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(
            f"--counts {text}: not a list of whole numbers", "write it like 4000,2000,1000"
        ) from None
    if len(counts) != len(names):
        raise UserError(
            f"--counts has {len(counts)} numbers for {len(names)} classes",
            f"give one for each class, in this order: {listing(names)}",
        )
    return counts


def _check(config: ImbalanceConfig, wanted: dict[str, int], folder: ImageFolder) -> None:
    for name, n in wanted.items():
        if n > folder.counts[name]:
            raise UserError(
                f"class {listing([name])} has {folder.counts[name]} images, and {n} are asked for",
                f"ask for at most {folder.counts[name]}, or add images to the class"
                if config.ratio is None
                else "give a larger --ratio, or start from a folder of more equal classes",
            )
        if n < 1:
            raise UserError(
                f"class {listing([name])} would be left with {n} images",
                "leave at least one image in each class: a smaller --ratio, or larger counts",
            )


def _draw(files: list[str], count: int, seed: int, name: str) -> list[str]:
    """`count` of the files; a smaller draw of the same seed is a part of a larger one."""
    order = stream(seed, "imbalance", name).permutation(len(files))
    return [files[i] for i in sorted(order[:count])]
