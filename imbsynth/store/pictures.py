"""Pictures and pages for people: marked as ours, so that --force replaces none of somebody else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from PIL import Image, PngImagePlugin

from imbsynth.errors import UserError
from imbsynth.store.folders import open_regular

MARK = "imbsynth"  # the text "Software" of a PNG file
GENERATOR = f'<meta name="generator" content="{MARK}">'  # the same in a page
_SIGNS = {  # how each begins, and what its head contains
    "picture": (b"\x89PNG", f"Software\0{MARK}".encode()),
    "page": (b"<!DOCTYPE html>", GENERATOR.encode()),
}
_HEAD = 4096  # bytes of a file that hold its texts: they come before the pixels


def save_sheet(sheet: Image.Image, path: Path | IO[bytes]) -> None:
    """Write a sheet of images as PNG, with the mark."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", MARK)
    sheet.save(path, format="PNG", pnginfo=about)


def check_ours(path: Path, kind: str = "picture") -> None:
    """Raise UserError if a file is there without the mark of a "picture" or a "page"."""
    if os.path.lexists(path) and not _is_ours(path, *_SIGNS[kind]):
        raise UserError(
            f"{path} exists and is no {kind} of imbsynth",
            "choose another name, or remove it yourself",
        )


def _is_ours(path: Path, start: bytes, mark: bytes) -> bool:
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head.startswith(start) and mark in head
