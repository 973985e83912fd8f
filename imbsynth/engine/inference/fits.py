"""How images of other proportions got to the size of a training: what follows must do the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from imbsynth.configs import Fit
from imbsynth.errors import UserError
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.fields import Wrong, text

FIT = "fit"  # in the header of a checkpoint


def read_fit(meta: Mapping[str, Any]) -> Fit:
    """Out of the header of a checkpoint; older versions knew only squash. Wrong if it is odd."""
    found = text({FIT: "squash", **meta}, FIT)
    for known in get_args(Fit):
        if found == known:
            return known
    raise Wrong("its images were fitted in no known way")


def fit_of(path: Path) -> Fit:
    """That of the checkpoint in a file."""
    try:
        return read_fit(read_header(path))
    except Wrong as error:
        raise UserError(
            f"{path}: {error}", "the file is damaged or was edited: make it again"
        ) from None
