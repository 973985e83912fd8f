from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imbsynth.cli.app import app
from imbsynth.cli.console import LINE_EVERY, _Lines, table
from imbsynth.engine.events import Advanced, Started, duration


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock: its one number is the time, in seconds."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_what_comes_before_the_first_work_says_nothing_of_the_rest(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of nine trials begins after a minute of reading, and each takes 100 s."""
    say_twice(now, Started("training", 9, "trials"), begun=60.0, done=(0.01, 0.11))
    assert "0.11 of 9 trials, about 15 minutes left" in capsys.readouterr().err


def test_what_a_resumed_run_had_done_before_takes_no_time(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    say_twice(now, Started("training", 200, "steps"), begun=1.0, done=(101, 121))
    assert "about 40 seconds left" in capsys.readouterr().err


def say_twice(now: list[float], stage: Started, begun: float, done: tuple[float, float]) -> None:
    """A stage whose first work is done at a time, and more of it when a line is due."""
    lines = _Lines()
    lines(stage)
    now[0] = begun
    lines(Advanced(done[0]))
    now[0] += LINE_EVERY
    lines(Advanced(done[1]))


def test_one_second_is_singular() -> None:
    assert [duration(s) for s in (1.2, 2, 7200)] == ["1 second", "2 seconds", "2 hours"]


def test_help_names_arguments_without_types_of_python() -> None:
    shown = CliRunner().invoke(app, ["predict", "--help"]).stdout
    arguments = shown.partition("Arguments:")[2].partition("Options:")[0]
    assert "  IMAGES  A folder of images" in arguments
    assert "<" not in arguments


def test_inspect_says_what_to_do_about_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/broken.png").write_bytes(b"no image")
    (tmp_path / "a/notes.txt").write_text("taken in May")
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path)]).stdout
    assert "leave them out later with --skip-unreadable" in shown
    assert "ignored: 1 file, hidden or no image" in shown


def test_a_class_above_a_column_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    table(["", "[bold]x (3)", "a\x1b[2Jb", "[/]"], [["plain", "1", "2", "3"]])
    shown = capsys.readouterr().out
    assert "[bold]x (3)" in shown
    assert r"a\x1b[2Jb" in shown
