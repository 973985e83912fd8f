from __future__ import annotations

import subprocess
import sys

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


def test_tables_are_read_without_importing_what_they_name() -> None:
    code = (
        "import sys, imbsynth.core.tables; heavy = {'torch', 'numpy', 'imbsynth.core.samplers'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
