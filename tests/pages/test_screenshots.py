"""A page in a real browser, where there is one: the pictures are in pytest's temporary folder."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.pages.blocks import Block, CommandLines, Picture, Section, Span, Table, Text
from imbsynth.pages.html import page
from imbsynth.pages.style import STYLE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
GROUNDS = re.findall(r"--ground: #(\w{6})", STYLE)[:2]  # light, dark
MARGIN = 8  # pixels at the right that nothing may reach

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def everything() -> str:
    """A page with each block, wider and longer than any screen."""
    drawn = io.BytesIO()
    Image.new("RGB", (1600, 300), (0, 90, 160)).save(drawn, "PNG")
    long = "a-name-without-any-space-" * 6
    cell = Span("95.1 [93.3, 96.9]", 0.2, 0.5, 0.8)
    table = Table("scores " * 30, ["method", *["a column"] * 12], [[long, *[cell] * 12]])
    commands = CommandLines(["imbsynth evaluate " + long])
    picture = Picture(drawn.getvalue(), (300, 1600), "a blue field", "caption")
    blocks: list[Block] = [Text("text " * 60), table, picture, commands, Text(long)]
    return page(long, "best " * 20, [Section(long, blocks)] * 2, "footer")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_fits_its_width_and_has_its_theme(tmp_path: Path, width: int, theme: str) -> None:
    source, shot = tmp_path / "page.html", tmp_path / f"page-{width}-{theme}.png"
    source.write_text(everything())
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1500"]
    options += [f"--blink-settings=preferredColorScheme={int(theme == 'light')}"]
    options += ["--hide-scrollbars", f"--screenshot={shot}", source.as_uri()]
    subprocess.run([str(CHROMIUM), *options], check=True, capture_output=True, timeout=120)
    pixels = np.asarray(Image.open(shot).convert("RGB"))
    assert pixels.shape[1] == width
    ground = bytes.fromhex(GROUNDS[theme == "dark"])
    assert (pixels[:, -MARGIN:] == list(ground)).all()  # what is wider scrolls by itself
    assert (pixels != list(ground)).any(2).mean() > 0.05  # and something is there
