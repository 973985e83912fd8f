"""The real and the synthetic images of each class: of two folders, or of one made by `generate`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from imbsynth.configs import FidConfig
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.manifest import (
    RECONSTRUCT,
    has_manifest,
    made_of,
    refuse_synthetic,
    synthetic_among,
)
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing
from imbsynth.store.records import MANIFEST

ORIGINS = ("real", "fake")


class ClassImages(NamedTuple):
    """The real or the synthetic images of one class."""

    origin: str  # "real" or "fake"
    name: str  # of the class
    root: Path
    paths: list[str]  # relative to root; may be empty


def classes_of(config: FidConfig, on_event: OnEvent) -> list[ClassImages]:
    """Class after class, its real images before its synthetic ones.

    In a folder made by `generate`, the real images are those that its manifest does not name.
    Raises UserError if there are fewer than 2 real or 2 synthetic images.
    """
    classes = []
    for origin, root in zip(ORIGINS, (config.real, config.fake or config.real), strict=True):
        folder = scan_regular(root, empty_ok=True)
        if has_manifest(root):
            folder = _images_of_origin(folder, origin)
            if config.fake is not None:
                used = "real" if origin == "real" else "synthetic"
                on_event(Note(f"{root} was made by generate: only its {used} images are used"))
        elif origin == "real" and config.fake is not None:
            refuse_synthetic(root)
        elif config.fake is None:
            raise UserError(
                f"{root} has no {MANIFEST} that tells synthetic images from real ones",
                "give a folder that generate made, or two folders: imbsynth fid REAL FAKE",
            )
        _check_enough(root, origin, folder)
        classes += [ClassImages(origin, name, root, paths) for name, paths in folder.files.items()]
    return sorted(classes, key=lambda images: (images.name, ORIGINS.index(images.origin)))


def _images_of_origin(folder: ImageFolder, origin: str) -> ImageFolder:
    """Of a folder made by `generate`, its synthetic images, or its unchanged real ones."""
    made = made_of(folder.root)
    gone = sorted(made.keys() - set(folder.paths()))
    if gone:
        raise UserError(
            f"{folder.root}: its manifest names images that are not there: {listing(gone)}",
            "restore them, or make the folder again",
        )

    synthetic = set(synthetic_among(folder.paths(), made))

    def belongs(path: str) -> bool:
        if origin == "real":
            return path not in synthetic
        return path in synthetic and not (path in made and made[path].method == RECONSTRUCT)

    kept = {name: [path for path in paths if belongs(path)] for name, paths in folder.files.items()}
    return folder._replace(files=kept)


def _check_enough(root: Path, origin: str, folder: ImageFolder) -> None:
    if len(folder.paths()) < 2:
        raise UserError(
            f"{root}: {len(folder.paths())} {origin} images, and a covariance needs 2",
            "give another folder: imbsynth fid REAL FAKE",
        )
