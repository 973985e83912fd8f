"""A folder given one level too high: its sub-folders are parts of a data set, not classes."""

from __future__ import annotations

from imbsynth.store.folders import ImageFolder
from imbsynth.store.names import listing

PARTS = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
    | {"images", "data", "dataset"}
)


def better_folders(folder: ImageFolder) -> list[str]:
    """The folders whose sub-folders look like the classes; none where those of this one do.

    They do not if there is one alone, or if all are called like parts, and every image lies in a
    sub-folder of it.
    """
    names = list(folder.files)
    if len(names) > 1 and not all(name.lower() in PARTS for name in names):
        return []
    found = [_classes_above(paths) for paths in folder.files.values()]
    if None in found:
        return []
    return [(folder.root / inside).as_posix() for inside in found if inside is not None]


def _classes_above(paths: list[str]) -> str | None:
    """The lowest folder that all the paths share, if each lies in a sub-folder of it."""
    if not paths:
        return None
    parts = [path.split("/")[:-1] for path in paths]
    shared = 0
    while all(len(own) > shared for own in parts) and len({own[shared] for own in parts}) == 1:
        shared += 1
    deeper = all(len(own) > shared for own in parts)
    return "/".join(parts[0][:shared]) if deeper else None


def hint(folder: ImageFolder) -> str:
    """What to say of a folder given too high; "" for any other."""
    better = better_folders(folder)
    if not better:
        return ""
    verb = "looks" if len(folder.files) == 1 else "look"
    return (
        f"{listing(list(folder.files))} {verb} like parts of a data set, not like classes: the "
        f"classes seem to be in {listing(better)}"
    )


def advice(folder: ImageFolder, otherwise: str) -> str:
    """What to do about a folder whose classes cannot be used: give a better one, if there is."""
    better = better_folders(folder)
    return f"give the folder of the classes: {' or '.join(better)}" if better else otherwise
