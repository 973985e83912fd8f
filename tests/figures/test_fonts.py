from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import FontEntry, fontManager

from imbsynth.configs import InspectConfig
from imbsynth.engine.configured import as_configured
from imbsynth.engine.events import Event, Note
from imbsynth.figures import fonts
from imbsynth.figures.confusion import write_confusion
from imbsynth.figures.sheets import SheetRow, write_sheet

DOG, CAT = "犬", "猫"


def draw_figure(path: Path, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_confusion(path, np.eye(2), ["a", name])


def draw_sheet(path: Path, name: str) -> None:
    write_sheet(path, [SheetRow(f"a {name}", [[np.zeros((3, 4, 4), np.uint8)]])], ["images"])


Draw = Callable[[Path, str], None]
either = pytest.mark.parametrize("draw", [draw_figure, draw_sheet])


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any font but matplotlib's DejaVu Sans."""
    usual = [entry for entry in fontManager.ttflist if entry.name == "DejaVu Sans"]
    forget(monkeypatch)
    monkeypatch.setattr(fontManager, "ttflist", usual)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found on the machine."""
    monkeypatch.setattr(fonts, "_font_of", {})
    monkeypatch.setattr(fonts, "_nowhere", set())
    fonts._installed.cache_clear()


@pytest.fixture
def installed(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font that has one letter that DejaVu Sans lacks, a black square."""
    pen = TTGlyphPen(None)
    for index, point in enumerate([(0, 0), (0, 700), (700, 700), (700, 0)]):
        (pen.lineTo if index else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    made = FontBuilder(1000)
    made.setupGlyphOrder([".notdef", "dog"])
    made.setupCharacterMap({ord(DOG): "dog"})
    made.setupGlyf({".notdef": square, "dog": square})
    made.setupHorizontalMetrics({".notdef": (800, 0), "dog": (800, 0)})
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": "Dogs", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(tmp_path / "dogs.ttf")
    entry = FontEntry(fname=str(tmp_path / "dogs.ttf"), name="Dogs", weight=400)
    monkeypatch.setattr(fontManager, "ttflist", [*fontManager.ttflist, entry])


@either
@pytest.mark.usefixtures("installed")
def test_letters_that_the_usual_font_lacks_are_drawn_with_an_installed_one(
    tmp_path: Path, draw: Draw
) -> None:
    with fonts.undrawn_letters() as undrawn:
        for name in (DOG, CAT):
            draw(tmp_path / f"{name}.png", name)
    assert undrawn == {CAT}
    assert (tmp_path / f"{DOG}.png").read_bytes() != (tmp_path / f"{CAT}.png").read_bytes()


@pytest.mark.usefixtures("installed")
def test_a_font_that_draws_any_letter_as_a_sign_of_its_script_is_not_taken() -> None:
    fontManager.ttflist[-1] = replace(fontManager.ttflist[-1], name=".LastResort")
    assert fonts.fonts_for(DOG) == {}


@either
@pytest.mark.usefixtures("bare")
def test_letters_without_a_font_are_known(tmp_path: Path, draw: Draw) -> None:
    for _ in range(2):
        with fonts.undrawn_letters() as undrawn:
            draw(tmp_path / "a.png", f"{DOG} ж é س")
        assert undrawn == {DOG}  # DejaVu Sans has Arabic


@either
def test_nothing_is_looked_up_for_usual_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    monkeypatch.setattr(fonts, "_look_up", None)
    for name in ("füße", "собака", "σκύλος", "a" * 99):
        draw(tmp_path / "a.png", name)


@pytest.mark.usefixtures("bare")
def test_a_command_says_once_what_its_pictures_cannot_show(tmp_path: Path) -> None:
    def run(_config: object, *, on_event: Callable[[Event], None]) -> None:
        on_event(Note("begun"))
        for _ in range(2):
            draw_sheet(tmp_path / "a.png", DOG + CAT)

    heard: list[Event] = []
    as_configured(run)(InspectConfig(src=tmp_path), on_event=heard.append)
    begins = [getattr(event, "text", "")[:25] for event in heard]
    assert begins == ["begun", f"no installed font has {DOG}, "]
    assert "Install a font that has them, such as Noto Sans CJK" in str(heard[1])
