from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.store import fields
from imbsynth.store.fields import Wrong

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)
READERS: list[tuple[Callable[..., Any], type]] = [
    (fields.text, str),
    (fields.flag, bool),
    (fields.whole, int),
    (fields.finite, float),
    (fields.mapping, dict),
    (fields.sequence, list),
    (fields.texts, list),
    (fields.counts, dict),
]


@pytest.mark.parametrize(("read", "kind"), READERS, ids=lambda part: part.__name__)
@given(value=JSON)
def test_any_value_is_read_as_its_type_or_refused(
    read: Callable[..., Any], kind: type, value: Any
) -> None:
    message, found = "", None
    try:
        found = read({"x": value}, "x")
    except Wrong as error:
        message = str(error)
    if message:
        assert len(message.splitlines()) == 1
    else:
        assert type(found) is kind
        assert found == value


@pytest.mark.parametrize("read", [read for read, _ in READERS], ids=lambda read: read.__name__)
def test_a_missing_field_is_named(read: Callable[..., Any]) -> None:
    with pytest.raises(Wrong, match="seed is missing"):
        read({"data": 1}, "seed")
    with pytest.raises(Wrong, match="2 is missing"):
        read([1, 2], 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("NaN", "x is nan, not a finite number from 0 to 1"),
        ("Infinity", "x is inf, not"),
        ("1.5", "x is 1.5, not a finite number from 0 to 1"),
        ("true", "x is True, not"),
        ('"0.5"', "x is '0.5', not"),
        ("1" + "0" * 400, "x is a very large number, not"),
        ("[0.5]", "x is a list, not"),
    ],
)
def test_a_wrong_number_is_named_with_what_is_wanted(text: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        fields.finite({"x": json.loads(text)}, "x", 0, 1)
    assert str(caught.value).startswith(problem)


def test_the_ends_of_a_range_are_in_it() -> None:
    assert fields.whole({"x": 1}, "x", 1, 3) == 1
    assert fields.whole({"x": 3.0}, "x", 1, 3) == 3
    for value in (0, 4, 2.5, math.nan):
        with pytest.raises(Wrong, match="not a whole number from 1 to 3"):
            fields.whole({"x": value}, "x", 1, 3)


def test_lists_and_counts() -> None:
    assert fields.sequence({"x": [1, 2]}, "x", 2) == [1, 2]
    with pytest.raises(Wrong, match="x has 1 items, not 2"):
        fields.sequence({"x": [1]}, "x", 2)
    with pytest.raises(Wrong, match="b is 0, not a whole number from 1"):
        fields.counts({"x": {"a": 2, "b": 0}}, "x", 1)
    with pytest.raises(Wrong, match="1 is 7, not a string"):
        fields.texts({"x": ["a", 7]}, "x")


@pytest.mark.parametrize("value", [2**63, -(10**400), 1e300], ids=["a bit", "digits", "a float"])
def test_a_whole_number_that_arrays_cannot_hold_is_wrong(value: float) -> None:
    """Else it ended in an OverflowError, or as infinity."""
    assert fields.whole({"x": fields.INT64_MAX}, "x") == fields.INT64_MAX
    with pytest.raises(Wrong, match="not a whole number"):
        fields.whole({"x": value}, "x")
