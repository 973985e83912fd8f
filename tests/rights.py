"""Root reads and writes everywhere; without this, a test of closed places would prove nothing.

The rights are given up by capability and not by becoming another user, who might not be let into
the environment that the modules come from.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION_3 = 0x20080522  # of the call capset(2), which takes two sets of 32 capabilities
_OVERRIDES = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: to pass over permissions

_Sets = ctypes.c_uint32 * 6  # effective, permitted, inheritable; then the same of the upper 32
_EFFECTIVE = 0


@contextmanager
def permissions_hold() -> Iterator[None]:
    """Until the end, what a file's permissions forbid is forbidden to this thread, root's too.

    So it is to the threads and processes that it starts meanwhile.
    """
    if os.geteuid():
        yield
        return
    sets = _Sets()
    _call("capget", sets)
    before = sets[_EFFECTIVE]
    sets[_EFFECTIVE] = before & ~_OVERRIDES
    _call("capset", sets)
    try:
        yield
    finally:
        sets[_EFFECTIVE] = before
        _call("capset", sets)


def _call(name: str, sets: ctypes.Array[ctypes.c_uint32]) -> None:
    """Get or set the capabilities of this thread."""
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    if getattr(ctypes.CDLL(None, use_errno=True), name)(header, sets):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
