"""docs/commands.md is made from the options, and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

import imbsynth
from imbsynth.cli.command import spelling
from imbsynth.cli.commands import SUMMARIES, spec
from imbsynth.cli.reference import reference
from imbsynth.options import option_fields

PROJECT = Path(imbsynth.__file__).parent.parent


def test_the_committed_page_is_the_generated_one() -> None:
    committed = (PROJECT / "docs/commands.md").read_text(encoding="utf-8")
    assert committed == reference(), "run `make docs`"


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_page_names_every_option_with_its_examples(name: str) -> None:
    section = reference().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for field in option_fields(spec(name).config):
        assert f"`{spelling(field)}" in section
    for example in spec(name).examples:
        assert f"imbsynth {name} {example}\n" in section
    assert "neighbours" not in section
