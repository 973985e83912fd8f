"""What several processes need is made once, by the first of them; the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from imbsynth.errors import Busy, UserError
from imbsynth.store.outputs import RECORD

POLL = 2.0  # seconds between two attempts while another process is writing


def make_once(folder: Path, make: Callable[[], object]) -> Path:
    """The folder, made by `make` if it does not exist, by this process or by another."""
    try:
        if not (folder / RECORD).exists():
            wait_and_make(make)
    except UserError:
        if not (folder / RECORD).exists():  # else another process was quicker
            raise
    return folder


def wait_and_make(make: Callable[[], object]) -> None:
    """Call `make`, again and again while another process is writing the same output."""
    while True:
        try:
            make()
        except Busy:
            time.sleep(POLL)
        else:
            return
