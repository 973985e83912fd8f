"""`import imbsynth`: a function per command, with plain Python values."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import imbsynth
from imbsynth.cli.commands import SUMMARIES
from imbsynth.engine.events import Event, Started

FUNCTIONS = [name.replace("-", "_") for name in SUMMARIES]


def test_importing_imbsynth_imports_nothing_heavy() -> None:
    code = (
        "import sys, imbsynth; imbsynth.generate; imbsynth.balanced; imbsynth.AosTrainConfig;"
        "heavy = {'torch', 'numpy', 'PIL', 'yaml', 'typer', 'rich'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_command_is_a_function_that_describes_itself(name: str) -> None:
    function = getattr(imbsynth, name)
    assert function.__name__ == name
    assert "Fields:" in (function.__doc__ or "")
    parameters = inspect.signature(function).parameters
    assert set(parameters) == {*function.config.__dataclass_fields__, "on_event"}


def test_all_that_is_exported_is_there() -> None:
    assert set(FUNCTIONS) <= set(imbsynth.__all__)
    assert dir(imbsynth) == sorted(imbsynth.__all__)
    for name in imbsynth.__all__:
        assert getattr(imbsynth, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = imbsynth.nothing


def test_texts_or_paths_in_and_a_report_out(rare: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    report = imbsynth.generate(
        src=str(rare), dst=tmp_path / "dst", to=14, image_size=8, on_event=events.append
    )
    assert set(report.counts.values()) == {14}
    assert any(isinstance(event, Started) for event in events)


def test_a_config_serves_as_well(rare: Path) -> None:
    assert imbsynth.inspect(imbsynth.InspectConfig(src=rare)) == imbsynth.inspect(src=rare)
    with pytest.raises(TypeError, match="not both"):
        imbsynth.inspect(imbsynth.InspectConfig(src=rare), src=rare)


def test_class_sizes_may_be_named(rare: Path, tmp_path: Path) -> None:
    sizes = {"single": 1, "pair": 2, "few": 3, "common": 4}
    report = imbsynth.imbalance(src=rare, dst=tmp_path / "dst", counts=sizes)
    assert report.counts == sizes
    with pytest.raises(imbsynth.UserError, match="counts leaves out class"):
        imbsynth.imbalance(src=rare, dst=tmp_path / "other", counts={"few": 3})


def test_an_error_names_the_argument(rare: Path, tmp_path: Path) -> None:
    with pytest.raises(imbsynth.UserError, match="k_neighbors is 0"):
        imbsynth.generate(src=rare, dst=tmp_path / "dst", k_neighbors=0)
    with pytest.raises(TypeError, match="neighbors"):
        imbsynth.generate(src=rare, dst=tmp_path / "dst", neighbors=3)
