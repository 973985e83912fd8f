"""The ways a run ends early that are not bugs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

SAME_REQUEST = 2.0  # seconds in which further stop signals belong to the first one
_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters: no message has them by accident


def option(name: str) -> str:
    """The name of a config field, marked for `UserError`: who shows it decides its spelling.

    `option("batch_size")` reads batch_size in Python and --batch-size on the command line.
    """
    return f"{_OPEN}{name}{_CLOSE}"


def meant(name: object, names: Iterable[str], show: Callable[[str], str] = str) -> str:
    """The start of the advice on an unknown name: the nearest of `names`; "" if none is near.

    show: how the nearest name is written.
    """
    from difflib import get_close_matches  # only where something is wrong

    known = {known.casefold(): known for known in names}
    found = get_close_matches(name.casefold() if isinstance(name, str) else "", known, 1)
    return f"did you mean {show(known[found[0]])}? If not, " if found else ""


class UserError(Exception):
    """A problem the user can fix: what is wrong, then what to do about it.

    Both texts may name config fields by `option`.
    """

    def __init__(self, problem: str, fix: str) -> None:
        self._problem, self._fix = problem, fix
        super().__init__(self.shown())

    def shown(self, spell: Callable[[str], str] = str) -> str:
        """The whole text, with every config field spelled by `spell`."""
        return _spelled(f"{self._problem}\n  fix: {self._fix}", spell)

    @property
    def problem(self) -> str:
        """What is wrong, without the advice."""
        return _spelled(self._problem, str)

    @property
    def fix(self) -> str:
        """The advice alone."""
        return _spelled(self._fix, str)

    def within(self, place: str) -> UserError:
        """The same problem, said to be in a place such as a file."""
        return UserError(f"{place}: {self._problem}", self._fix)

    def reworded(self, change: Callable[[str], str]) -> UserError:
        """The same problem, with what `change` makes of both texts."""
        return UserError(change(self._problem), change(self._fix))


def _spelled(text: str, spell: Callable[[str], str]) -> str:
    return re.sub(f"{_OPEN}(.*?){_CLOSE}", lambda match: spell(match[1]), text)


class Busy(UserError):
    """Another process is writing the same output."""


class ProcessLost(UserError):
    """One of several processes that carry out a run together has ended before the others."""


class Interrupted(Exception):
    """A run that a signal asked to stop and that has put its work in safety first."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.exit_code = 128 + signal_number
