"""Read a folder of images per class, telling the listener how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import size_text
from imbsynth.engine.decoded import decoded, tell_of_skipped
from imbsynth.engine.events import Advanced, Note, OnEvent, Started
from imbsynth.engine.previews import ANYTHING, Fits, Preview, size_by_headers
from imbsynth.errors import UserError
from imbsynth.runtime import worker_count
from imbsynth.store.copies import folder_digest, whole_digest
from imbsynth.store.digests import Digests, DigestSet, as_set
from imbsynth.store.folders import ImageFolder, check_regular, scan
from imbsynth.store.image_reader import ImageReader, ImageRules
from imbsynth.store.images import ImageForm
from imbsynth.store.levels import hint
from imbsynth.store.names import listing
from imbsynth.store.outputs import RECORD
from imbsynth.store.records import ENCODED, LEFT_OUT, MANIFEST, MOVED, SAMPLES, left_out
from imbsynth.store.row_files import PixelArray, some_of

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from imbsynth.core.pixels import PixelRows

AT_ONCE = 1000  # images that go to a device together


@dataclass(frozen=True)
class Listed:
    """The readable images of a folder and their classes, one row each."""

    labels: NDArray[np.int64]  # (n,) indices into `classes`
    classes: list[str]
    paths: list[str]  # relative to the folder
    digests: Digests  # SHA-256 of each file
    pixel_digests: Digests  # of each image's own pixels, before resizing
    digest: str  # of all paths and file contents
    skipped: list[str]  # unreadable files that were left out
    whole_digest: str  # as `digest`, whatever was left out; "" if a file cannot be opened

    def members(self) -> list[NDArray[np.int64]]:
        """The image indices of each class."""
        ends = np.cumsum(np.bincount(self.labels, minlength=len(self.classes)))
        return np.split(np.argsort(self.labels, kind="stable"), ends[:-1])

    def identities(self, rows: NDArray[np.int64] | None = None) -> DigestSet:
        """The digests by which these images are found again: of their files and of their pixels.

        Older checkpoints and manifests know files only. rows: None stands for all.
        """
        chosen = slice(None) if rows is None else rows
        return DigestSet(self.digests.keys[chosen], self.pixel_digests.keys[chosen])

    def known_to(self, identities: AbstractSet[str]) -> NDArray[np.bool_]:
        """(n,) whether an image is among those that have these digests, in whatever bytes."""
        known = as_set(identities)
        return known.has(self.digests.keys) | known.has(self.pixel_digests.keys)


@dataclass(frozen=True)
class Labelled(Listed):
    """The same, decoded."""

    pixels: PixelArray  # (n, c, h, w)
    resized: int  # images that had another size
    made_gray: int  # colour images where one channel is asked for

    def rows(self, chosen: NDArray[np.int64]) -> Labelled:
        """Some of the images, in this order; `digest` stays that of the folder."""
        return replace(
            self,
            pixels=some_of(self.pixels, chosen),
            labels=self.labels[chosen],
            paths=[self.paths[i] for i in chosen],
            digests=self.digests.some(chosen),
            pixel_digests=self.pixel_digests.some(chosen),
        )

    def of_classes(self, kept: NDArray[np.int64]) -> Labelled:
        """The images of some classes, in the order of the folder; labels count the kept classes.

        kept: ascending.
        """
        rows = np.flatnonzero(np.isin(self.labels, kept))
        return replace(
            self.rows(rows),
            labels=np.searchsorted(kept, self.labels[rows]),
            classes=[self.classes[k] for k in kept],
        )

    def without(self, paths: AbstractSet[str]) -> Labelled:
        """The same folder without some of its images."""
        kept = self.rows(np.flatnonzero([path not in paths for path in self.paths]))
        return replace(kept, digest=folder_digest(kept.paths, kept.digests))

    def on(self, device: torch.device) -> PixelRows:
        """The pixels on a device, or on the CPU (not copied) where they would fill it."""
        import torch

        from imbsynth.core.pixels import as_rows

        pixels = as_rows(self.pixels)
        if device.type != "cuda" or self.pixels.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
            return pixels
        there = torch.empty(self.pixels.shape, dtype=torch.uint8, device=device)
        for part, some in zip(there.split(AT_ONCE), pixels.split(AT_ONCE), strict=True):
            part.copy_(some)
        return there


def scan_regular(src: Path, *, empty_ok: bool = False) -> ImageFolder:
    """The folder's images by class; UserError if a name stands for no regular file."""
    folder = scan(src, empty_ok=empty_ok)
    check_regular(folder)
    written = (RECORD, MANIFEST, SAMPLES, ENCODED, MOVED)
    reserved = [name for name in folder.files if name in written]
    if reserved:
        raise UserError(
            f"{src}: class {listing(reserved)} has the name of a file that imbsynth writes",
            "rename the folder",
        )
    return folder


SMALLER = (
    "the images are read at {} pixels: the network is made for at most {} per side (image size "
    "auto; ask for another size if they need it)"
)


def read_labelled(
    src: Path,
    form: ImageForm,
    *,
    on_event: OnEvent,
    only: Sequence[str] | None = None,
    fits: Fits = ANYTHING,
) -> Labelled:
    """Decode a folder, or its classes in `only` (others may be empty); see `read_images`.

    What names and headers tell is checked before anything is decoded.
    """
    folder = scan_regular(src, empty_ok=only is not None)
    if only is not None:
        folder = folder._replace(files={name: folder.files[name] for name in only})
    expected, smaller = form.size, None
    if form.size is None:
        expected, smaller = size_by_headers(
            folder, fits.longest, skip_unreadable=form.skip_unreadable
        )
    fits.check(Preview(folder, expected))
    _tell_of_level(folder, on_event)
    if smaller is not None:
        on_event(Note(SMALLER.format(size_text(smaller), fits.longest)))
    form = form._replace(size=form.size or smaller)
    images = decoded(folder, form, expected, on_event)
    found = (images.digests, images.pixel_digests)
    listed = _listed(folder, images.paths, found, images.skipped)
    return Labelled(
        **vars(listed),
        pixels=images.pixels,
        resized=images.resized,
        made_gray=images.made_gray,
    )


def read_listed(src: Path, *, skip_unreadable: bool, on_event: OnEvent, fits: Fits) -> Listed:
    """Check that every image of a folder can be decoded, of whatever size; their pixels go."""
    folder = scan_regular(src)
    fits.check(Preview(folder, None))
    _tell_of_level(folder, on_event)
    paths = folder.paths()
    on_event(Started("reading images", len(paths)))
    rules = ImageRules(size=(1, 1), skip_unreadable=skip_unreadable)  # sizes may be mixed
    reader = ImageReader(src, paths, rules, cores=worker_count())
    kept, digests, pixel_digests = [], Digests(), Digests()
    with closing(reader.images(lambda done: on_event(Advanced(done)))) as images:
        for image in images:
            kept.append(paths[image.place])
            digests.append(image.digest)
            pixel_digests.append(image.picture.digest)
    tell_of_skipped(list(reader.unreadable), on_event)
    return _listed(folder, kept, (digests, pixel_digests), list(reader.unreadable))


def _listed(
    folder: ImageFolder, paths: list[str], found: tuple[Digests, Digests], skipped: list[str]
) -> Listed:
    """These images with their classes; UserError for a class without any.

    found: the digests of the files, and those of their pixels.
    """
    digests, pixel_digests = found
    classes = list(folder.files)
    label_of = {name: label for label, name in enumerate(classes)}
    labels = np.array([label_of[path.partition("/")[0]] for path in paths], np.int64)
    sizes = np.bincount(labels, minlength=len(classes))
    gone = [name for name, size in zip(classes, sizes, strict=True) if not size]
    if gone:
        raise UserError(
            f"{folder.root}: no readable images in class {listing(gone)}",
            "repair its images, or remove the folder",
        )
    digest = folder_digest(paths, digests)
    whole = whole_digest(folder.root, paths, digests, skipped) if skipped else digest
    return Listed(labels, classes, paths, digests, pixel_digests, digest, skipped, whole)


def record_of_left_out(folders: Mapping[str, Listed]) -> dict[str, Any]:
    """What a record says of input folders of which files were left out; nothing if none was.

    folders: by the names that `inputs` has.
    """
    found = {
        name: left_out(one.skipped, one.whole_digest)
        for name, one in folders.items()
        if one.digest != one.whole_digest
    }
    return {LEFT_OUT: found} if found else {}


def _tell_of_level(folder: ImageFolder, on_event: OnEvent) -> None:
    """Say so if the folder was given one level too high."""
    if text := hint(folder):
        on_event(Note(text))


def check_classes(folder: Path, found: list[str], expected: list[str]) -> None:
    """Raise UserError unless a folder has the classes that a classifier knows, all of them."""
    strange = [name for name in found if name not in expected]
    missing = [name for name in expected if name not in found]
    if strange:
        raise UserError(
            f"{folder}: class {listing(strange)} is none of the classifier's",
            f"its classes are {listing(expected)}: rename or remove the folder",
        )
    if missing:
        raise UserError(
            f"{folder}: no images of class {listing(missing)}: how well it is found cannot be said",
            "add images of every class that the classifier knows",
        )
