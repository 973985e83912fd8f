"""The real and the synthetic images of an audit, in two halves that share no real image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import AuditConfig
from imbsynth.core.batches import Indices
from imbsynth.engine.events import OnEvent
from imbsynth.engine.manifest import RECONSTRUCT, Made, has_manifest, made_of
from imbsynth.engine.previews import ANYTHING, Fits
from imbsynth.engine.reading import Labelled, read_labelled, record_of_left_out, scan_regular
from imbsynth.errors import UserError
from imbsynth.runtime import stream
from imbsynth.store.growing import joined_pixels
from imbsynth.store.images import ImageForm
from imbsynth.store.names import listing
from imbsynth.store.records import MANIFEST
from imbsynth.store.row_files import PixelArray

NEITHER = -1


class Audited(NamedTuple):
    """Real and then synthetic images, with the classes of the real ones."""

    images: Labelled
    synthetic: NDArray[np.bool_]  # (n,)
    # Of each image, the digests of what it is made of, for version 0.1 paths; none of real images.
    parents: list[frozenset[str]]
    methods: frozenset[str] = frozenset()  # that made the synthetic images; none if unknown
    inputs: Mapping[str, str] = MappingProxyType({})  # digests of the folders, by option
    left_out: Mapping[str, Any] = MappingProxyType({})  # of them, for a record

    @property
    def pixels(self) -> PixelArray:
        """(n, c, h, w)."""
        return self.images.pixels

    @property
    def labels(self) -> Indices:
        """(n,) indices into `classes`."""
        return self.images.labels

    @property
    def classes(self) -> list[str]:
        """Those with real images."""
        return self.images.classes

    def of(self, label: int, *, synthetic: bool) -> Indices:
        """The real or the synthetic images of a class."""
        return np.flatnonzero((self.labels == label) & (self.synthetic == synthetic))

    def distinct(self) -> list[Indices]:
        """Of each class, its different real images; without those that stand in another class too.

        Of files that show the same, the first.
        """
        labels_of = defaultdict(set)
        first: dict[str, int] = {}
        for i in np.flatnonzero(~self.synthetic).tolist():
            picture = self.images.pixel_digests[i]
            labels_of[picture].add(int(self.labels[i]))
            first.setdefault(picture, i)
        rows = np.array([i for one, i in first.items() if len(labels_of[one]) == 1], np.int64)
        return [rows[self.labels[rows] == label] for label in range(len(self.classes))]


def read_audited(config: AuditConfig, on_event: OnEvent, fits: Fits = ANYTHING) -> Audited:
    """The images of two folders, or of one that `generate` made.

    Raises UserError unless both kinds are there, and what `fits` raises before any is decoded.
    """
    if config.fake is None and not has_manifest(config.real):
        raise UserError(
            f"{config.real} has no {MANIFEST} that tells synthetic images from real ones",
            "give a folder that generate made, or two folders: imbsynth audit REAL FAKE",
        )
    first = _read(config, config.real, on_event, fits, size=config.image_size)
    made = made_of(config.real)
    real = _chosen(first, [path not in made for path in first.paths])
    if config.fake is None:
        second = first
    else:
        size = (first.pixels.shape[2], first.pixels.shape[3])
        channels = first.pixels.shape[1]
        second = _read(config, config.fake, on_event, fits, size=size, channels=channels)
        made = made_of(config.fake)
    if has_manifest(config.fake or config.real):
        named = {path for path, how in made.items() if how.method != RECONSTRUCT}
        fake = _chosen(second, [path in named for path in second.paths])
    else:
        fake = second
    for kind, found, root in (("real", real, config.real), ("synthetic", fake, config.fake)):
        if len(found.paths) < 2:
            raise UserError(
                f"{root or config.real}: {len(found.paths)} {kind} images, and an audit needs 2",
                "give another folder: imbsynth audit REAL FAKE",
            )
    known = [made.get(path) for path in fake.paths]
    parents = [_names_of_parents(how) for how in known]
    methods = {"" if how is None else how.method for how in known}
    folders = {"real": first, **({} if config.fake is None else {"fake": second})}
    return _joined(config, real, fake, parents)._replace(
        methods=frozenset() if "" in methods else frozenset(methods),
        inputs={name: images.digest for name, images in folders.items()},
        left_out=record_of_left_out(folders),
    )


def _names_of_parents(how: Made | None) -> frozenset[str]:
    """How the parents of a synthetic image are found again."""
    return frozenset() if how is None else how.parent_digests or frozenset(how.parents)


def _read(
    config: AuditConfig,
    src: Path,
    on_event: OnEvent,
    fits: Fits,
    *,
    size: tuple[int, int] | None,
    channels: int | None = None,
) -> Labelled:
    files = scan_regular(src, empty_ok=True).files  # generate may leave empty classes
    return read_labelled(
        src,
        ImageForm(size, channels, config.fit, config.skip_unreadable),
        only=[name for name, paths in files.items() if paths],
        on_event=on_event,
        fits=fits,
    )


def _chosen(images: Labelled, wanted: list[bool]) -> Labelled:
    return images.rows(np.flatnonzero(wanted))


def _joined(
    config: AuditConfig, real: Labelled, fake: Labelled, parents: list[frozenset[str]]
) -> Audited:
    strange = sorted({fake.classes[k] for k in fake.labels.tolist()} - set(real.classes))
    if strange:
        raise UserError(
            f"{config.fake}: no real images of class {listing(strange)}",
            f"the classes of {config.real} are {listing(real.classes)}",
        )
    label_of = {name: label for label, name in enumerate(real.classes)}
    labels = np.array([label_of[fake.classes[k]] for k in fake.labels], np.int64)
    joined = replace(
        real,
        pixels=joined_pixels(real.pixels, fake.pixels),
        labels=np.concatenate([real.labels, labels]),
        paths=real.paths + fake.paths,
        digests=real.digests + fake.digests,
        pixel_digests=real.pixel_digests + fake.pixel_digests,
    )
    synthetic = np.arange(len(joined.paths)) >= len(real.paths)
    return Audited(joined, synthetic, [frozenset()] * len(real.paths) + parents)


def halves_of(images: Audited, most: int, seed: int) -> Indices:
    """(n,): 0 or 1, or NEITHER; at most `most` real and synthetic images of each class per half.

    Of real images that show the same, one is in a half: see `Audited.distinct`. A synthetic image
    is in the half of its parents; in neither if they are in both. If none of them is in a half
    (they are not among the real images, or beyond `most`), it is in a half by turns.
    """
    half = np.full(len(images.labels), NEITHER)
    for name, real in zip(images.classes, images.distinct(), strict=True):
        shuffled = stream(seed, "audit", "real", name).permutation(real)[: 2 * most]
        half[shuffled] = np.arange(len(shuffled)) % 2
    half_of = _half_of_names(images, half)
    for label, name in enumerate(images.classes):
        made = images.of(label, synthetic=True)
        taken = [0, 0]
        for i in stream(seed, "audit", "made", name).permutation(made).tolist():
            sides = {half_of.get(one, NEITHER) for one in images.parents[i]} - {NEITHER}
            side = sides.pop() if sides else int(taken[0] > taken[1])
            if not sides and taken[side] < most:
                half[i] = side
                taken[side] += 1
    return half


def _half_of_names(images: Audited, half: Indices) -> dict[str, int]:
    """The halves of the real images, by path and digests, those of equal images included."""
    about, real = images.images, np.flatnonzero(~images.synthetic).tolist()
    of_picture = {about.pixel_digests[i]: int(half[i]) for i in real if half[i] != NEITHER}
    found = {}
    for i in real:
        side = of_picture.get(about.pixel_digests[i], NEITHER)
        for one in (about.paths[i], about.digests[i], about.pixel_digests[i]):
            found[one] = side
    return found
