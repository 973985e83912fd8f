from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.store.digests import SIZE, Digests, DigestSet, as_set

# Zeros at an end, which numpy leaves out of the text of an element, and every byte.
DIGESTS = st.lists(st.binary(min_size=1, max_size=SIZE).map(lambda b: b.ljust(SIZE, b"\0").hex()))


def digests_of(found: Iterable[str]) -> Digests:
    digests = Digests()
    for one in found:
        digests.append(one)
    return digests


@given(DIGESTS, st.integers(0, 5))
def test_digests_come_back_as_they_were_appended(found: list[str], start: int) -> None:
    digests = digests_of(found)
    assert list(digests) == found
    assert list(digests[start:]) == found[start:]
    assert list(digests + digests) == found + found
    backwards = np.arange(len(found))[::-1]
    assert list(digests.some(backwards)) == found[::-1]
    if found:
        assert digests[-1] == found[-1]
    with pytest.raises(IndexError):
        digests[len(found)]


@given(DIGESTS, DIGESTS)
def test_a_set_of_digests_is_a_set(some: list[str], others: list[str]) -> None:
    digests = DigestSet(digests_of(some).keys, digests_of(some).keys)
    assert list(digests) == sorted(set(some))
    assert digests == as_set(some)
    assert digests.has(digests_of(others).keys).tolist() == [one in set(some) for one in others]
    assert [one in digests for one in others] == [one in set(some) for one in others]
    assert list(digests | as_set(others)) == sorted({*some, *others})
    assert digests.isdisjoint(others) == set(some).isdisjoint(others)


def test_a_digest_takes_32_bytes() -> None:
    found = [hashlib.sha256(bytes([n])).hexdigest() for n in range(100)]
    assert digests_of(found).keys.nbytes == as_set(found).keys.nbytes == 100 * SIZE
