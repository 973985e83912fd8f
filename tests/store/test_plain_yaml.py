"""Numbers as YAML 1.2 has them: what looks like a number of YAML 1.1 is a text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imbsynth.errors import UserError
from imbsynth.store.plain_yaml import read_values, text_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12), ("-3", -3), ("0", 0), ("1e-4", 1e-4), ("1.5", 1.5), (".5", 0.5),
        ("1.5e+3", 1500.0),
        ("0202", "0202"), ("2:10", "2:10"), ("1_0", "1_0"), ("0x1F", "0x1F"), ("007", "007"),
        (".", "."), ("1e", "1e"), (".nan", ".nan"), ("true", True), ("~", None),
    ],
)  # fmt: skip
def test_how_a_value_is_read(text: str, value: object) -> None:
    found = read_values(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_text_may_come_from_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"seed: 1")
    os.close(writing)
    assert text_of(Path(f"/dev/fd/{reading}")) == "seed: 1"
    os.close(reading)


def test_a_text_comes_from_no_device() -> None:
    with pytest.raises(UserError, match=r"/dev/zero: cannot be read \(not a regular file\)"):
        text_of(Path("/dev/zero"))
