"""Many SHA-256 digests: 32 bytes for each, where a hexadecimal string takes 113."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 32  # bytes of a digest
# Compared like their hexadecimal form. An element that is taken out loses the zeros at its end, so
# that digests are taken out as bytes.
Keys = NDArray[np.bytes_]


class Digests(Sequence[str]):
    """The digests of images, in their order; an element is hexadecimal."""

    def __init__(self, data: bytes | bytearray = b"") -> None:
        """data: the digests one after another."""
        self._data = bytearray(data)

    def append(self, digest: str) -> None:
        """Another digest, hexadecimal."""
        self._data += bytes.fromhex(digest)

    def __len__(self) -> int:
        return len(self._data) // SIZE

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return self.some(np.arange(len(self))[place])
        if not -len(self) <= place < len(self):
            raise IndexError(f"{place} is not in 0..{len(self) - 1}")
        start = place % len(self) * SIZE
        return self._data[start : start + SIZE].hex()

    def __add__(self, other: Digests) -> Digests:
        return Digests(self._data + other._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digests) and self._data == other._data

    def some(self, rows: NDArray[np.int64]) -> Digests:
        """Those of some of the images, in this order."""
        return Digests(self.keys[rows].tobytes())

    @property
    def keys(self) -> Keys:
        """(n,), to compare and to sort; not to be kept while digests are appended."""
        return _keys(self._data)


class DigestSet(Set[str]):
    """Different digests, sorted; an element is hexadecimal."""

    def __init__(self, *keys: Keys) -> None:
        """keys: arrays of digests, which may hold some of them twice."""
        joined = np.concatenate([_keys(b""), *keys])
        joined.sort()
        self.keys: Keys = joined[np.append(True, joined[1:] != joined[:-1])[: len(joined)]]

    @classmethod
    def _from_iterable(cls, digests: Iterable[Any]) -> DigestSet:  # type: ignore[override]
        # What the operators of `Set` make their results with.
        return cls(_keys(bytes.fromhex("".join(digests))))

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and bool(self.has(_keys(bytes.fromhex(digest))).any())

    def __iter__(self) -> Iterator[str]:
        return iter(Digests(self.keys.tobytes()))

    def __len__(self) -> int:
        return len(self.keys)

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """(n,) whether each of these digests is in the set."""
        if not len(self.keys):
            return np.zeros(len(keys), bool)
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return self.keys[places] == keys


def as_set(digests: Iterable[str]) -> DigestSet:
    """The same digests, hexadecimal, as a `DigestSet`."""
    return digests if isinstance(digests, DigestSet) else DigestSet._from_iterable(digests)


def _keys(data: bytes | bytearray) -> Keys:
    return np.frombuffer(data, f"S{SIZE}")
