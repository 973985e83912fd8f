from __future__ import annotations

import pytest

from imbsynth.core import tables

TABLES = {name: found for name, found in vars(tables).items() if name.isupper()}
ENTRIES = [(key, entry) for found in TABLES.values() for key, entry in found.items()]


@pytest.mark.parametrize(("key", "entry"), ENTRIES, ids=lambda value: getattr(value, "name", ""))
def test_every_entry_has_a_function_and_a_line_of_help(key: str, entry: tables.Entry) -> None:
    assert key == entry.name
    assert callable(entry.load())
    assert entry.help
    assert not entry.help.endswith(".")
