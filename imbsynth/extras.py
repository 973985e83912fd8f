"""Packages that only some options need, which `pip install imbsynth[EXTRA]` installs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from imbsynth.errors import UserError


def check_extra(extra: str, packages: Sequence[str], *, asked: str, instead: str) -> None:
    """Raise UserError unless the packages of an extra are installed; none is imported.

    asked: the option that needs them. instead: what else a user can do about it.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{asked}: {' and '.join(missing)} cannot be imported",
            f"install what it needs with `pip install imbsynth[{extra}]`, or {instead}",
        )
