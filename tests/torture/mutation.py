"""Seeded damage to bytes and to JSON values."""

from __future__ import annotations

import json
import random
from typing import Any

# Values that a file of JSON can hold and a reader may not expect.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 0.5, 1e308, float("nan"), float("inf"), 10**30, "", "x", "../../x",
    "/etc/passwd", "a\0b", "\udce9", [], [[]], [1, 2], {}, {"a": 1},
)  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with a few of them flipped, cut, doubled, zeroed or overwritten."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(found) + 1)
        stop = min(len(found), start + rng.choice([1, 1, 2, 4, 64]))
        kind = rng.randrange(6)
        if kind == 0 and start < len(found):
            found[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del found[start:stop]
        elif kind == 2:
            found[start:start] = found[start:stop]
        elif kind == 3:
            found[start:stop] = bytes(stop - start)
        elif kind == 4:
            found[start:stop] = rng.randbytes(stop - start)
        else:
            del found[start:]
    return bytes(found)


def with_an_oddity(value: Any, rng: random.Random) -> Any:
    """The JSON value with one of its parts, at any depth, removed or replaced by an odd one."""
    found = json.loads(json.dumps(value))
    places = list(_places(found))
    if not places:
        return rng.choice(ODD)
    holder, key = rng.choice(places)
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice(ODD)
    return found


def _places(value: Any) -> Any:
    """Every part of a nest of lists and objects, as (what holds it, where)."""
    keys = (
        list(value) if isinstance(value, dict) else
        list(range(len(value))) if isinstance(value, list) else []
    )  # fmt: skip
    for key in keys:
        yield value, key
        yield from _places(value[key])
