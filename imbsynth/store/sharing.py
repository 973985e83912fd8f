"""What several processes need is made once, by the first of them; the others wait for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from imbsynth.errors import Busy, UserError
from imbsynth.store.outputs import claim

POLL = 2.0  # seconds between two attempts while another process is writing


def make_once(made: Path, make: Callable[[], object]) -> None:
    """Call `make`, unless what appears when it is done is there, by whatever process."""
    try:
        if not os.path.exists(made):  # False, too, where one may not look
            wait_and_make(make)
    except UserError:
        if not os.path.exists(made):  # else another process was quicker
            raise


def wait_and_make(make: Callable[[], object]) -> None:
    """Call `make`, again and again while another process is writing the same output."""
    while True:
        try:
            make()
        except Busy:
            time.sleep(POLL)
        else:
            return


def is_claimed(target: Path) -> bool:
    """Whether another process is writing `target`, whose folder is there."""
    try:
        with claim(target):
            return False
    except Busy:
        return True
