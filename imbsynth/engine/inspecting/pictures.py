"""A picture of images that are nearly the same."""

from __future__ import annotations

from pathlib import Path

from imbsynth.engine.inspecting.near_duplicates import ACROSS, AGAINST, WITHIN, NearDuplicates
from imbsynth.figures.sheets import CAPTION, LARGEST, MAX_ROWS, SheetRow, write_sheet
from imbsynth.store.image_files import thumbnail


def write_pairs(path: Path, near: NearDuplicates, here: Path, there: Path | None) -> None:
    """Draw the most similar pairs, a row for each: those of two classes or folders come first.

    here, there: the folders of the first and, for pairs with another folder, the second image.
    """
    chosen = [
        (kind, pair)
        for kind in (ACROSS, AGAINST, WITHIN)
        if kind in near
        for pair in near[kind].pairs
    ]
    rows = []
    for kind, pair in chosen[:MAX_ROWS]:
        second = there if kind == AGAINST and there is not None else here
        files = [here / pair.files[0], second / pair.files[1]]
        names = [caption_of(name) for name in pair.files]
        images = [thumbnail(file, LARGEST) for file in files]
        rows.append(SheetRow(f"{pair.similarity:.4f}", [images], [names]))
    write_sheet(path, rows, ["nearly the same, and how similar"])


def caption_of(path: str) -> str:
    """Class and name of a file; of a long one the end, which tells it from the others."""
    text = f"{Path(path).parent.name}/{Path(path).name}"
    return text if len(text) <= CAPTION else f"…{text[1 - CAPTION :]}"
