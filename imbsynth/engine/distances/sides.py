"""Which images are real and which are synthetic: two folders, or one that `generate` made."""

from __future__ import annotations

from pathlib import Path

from imbsynth.configs import FidConfig
from imbsynth.engine.distances.measuring import Unit
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.manifest import RECONSTRUCT, has_manifest, made_of
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing
from imbsynth.store.records import MANIFEST

SIDES = ("real", "fake")


def units_of(config: FidConfig, on_event: OnEvent) -> list[Unit]:
    """Class after class, its real images before its synthetic ones; a unit may be empty.

    In a folder of `generate` the real images are those that its manifest does not name. Raises
    UserError if a side has fewer than 2 images.
    """
    units = []
    for side, root in zip(SIDES, (config.real, config.fake or config.real), strict=True):
        folder = scan_regular(root, empty_ok=True)
        if has_manifest(root):
            folder = _part(folder, side)
            if config.fake is not None:
                taken = "real" if side == "real" else "synthetic"
                on_event(Note(f"of {root}, which generate made, only the {taken} images are taken"))
        elif config.fake is None:
            raise UserError(
                f"{root} has no {MANIFEST} that would tell synthetic images from real ones",
                "give a folder that generate made, or two folders: imbsynth fid REAL FAKE",
            )
        _check_enough(root, side, folder)
        units += [Unit(side, name, root, paths) for name, paths in folder.files.items()]
    return sorted(units, key=lambda unit: (unit.name, SIDES.index(unit.side)))


def _part(folder: ImageFolder, side: str) -> ImageFolder:
    """Of a folder of `generate`, its synthetic images, or those that nothing was done to."""
    made = made_of(folder.root)
    gone = sorted(made.keys() - set(folder.paths()))
    if gone:
        raise UserError(
            f"{folder.root}: its manifest names images that are not there: {listing(gone)}",
            "restore them, or make the folder again",
        )

    def belongs(path: str) -> bool:
        if side == "real":
            return path not in made
        return path in made and made[path].method != RECONSTRUCT

    kept = {name: [path for path in paths if belongs(path)] for name, paths in folder.files.items()}
    return folder._replace(files=kept)


def _check_enough(root: Path, side: str, folder: ImageFolder) -> None:
    if len(folder.paths()) < 2:
        raise UserError(
            f"{root}: {len(folder.paths())} {side} images, and a covariance needs 2",
            "give another folder: imbsynth fid REAL FAKE",
        )
