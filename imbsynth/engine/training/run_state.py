"""The state of a run as a file holds it: the tensors of all parts, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from imbsynth.errors import UserError, option
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.names import printable

FORMAT = 2  # of what is written here; before there was a number, Adam's tensors had fixed names
_FORMAT = "format"  # in the header

States = Mapping[str, Mapping[str, Tensor]]  # the tensors of each part, by the part's name


def to_checkpoint(states: States, meta: Mapping[str, Any]) -> Checkpoint:
    """The states of all parts, and what else a run needs: JSON values."""
    return Checkpoint(_joined(states), {**meta, _FORMAT: FORMAT})


def check_format(path: Path, state: Checkpoint) -> None:
    """Raise UserError for a state that another version of imbsynth wrote."""
    found = state.meta.get(_FORMAT)
    if found != FORMAT:
        age = "a newer" if type(found) is int and found > FORMAT else "an older"
        raise UserError(
            f"{path}: the state of a run that {age} version of imbsynth began",
            f"resume it with that version, or start again with {option('force')}",
        )


def read_states(path: Path, state: Checkpoint, expected: States) -> dict[str, dict[str, Tensor]]:
    """The tensors of each part; UserError unless they are the expected ones, and all finite."""
    problem = _problem(state.tensors, _joined(expected))
    if problem:
        raise damaged(path, problem)
    return {
        part: {name: state.tensors[f"{part}.{name}"] for name in tensors}
        for part, tensors in expected.items()
    }


def damaged(path: Path, reason: str) -> UserError:
    """The error for a state that cannot be resumed."""
    return UserError(
        f"{path}: the state of the run is damaged: {reason}",
        f"start again with {option('force')}",
    )


def finite(states: States) -> bool:
    """Whether all numbers of all parts are finite."""
    return not _not_finite(_joined(states))


def _joined(states: States) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": value
        for part, tensors in states.items()
        for name, value in tensors.items()
    }


def _problem(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    for name in sorted(found.keys() | expected.keys()):
        shown = printable(name)
        if name not in found:
            return f"tensor {shown} is missing"
        if name not in expected:
            return f"there is a tensor {shown}, which no part of the run has"
        here, there = found[name], expected[name]
        if here.shape != there.shape or here.dtype != there.dtype:
            return (
                f"tensor {shown} is {here.dtype} of shape {tuple(here.shape)}, "
                f"not {there.dtype} of shape {tuple(there.shape)}"
            )
    endless = _not_finite(found)
    return f"tensor {printable(endless[0])} has values that are not finite" if endless else None


def _not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    return [name for name, value in tensors.items() if not value.isfinite().all()]
