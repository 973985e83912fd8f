from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.pages.blocks import (
    Bar,
    Block,
    Cell,
    CommandLines,
    Items,
    Picture,
    Section,
    Span,
    Table,
    Text,
)
from imbsynth.pages.html import page
from imbsynth.pages.style import STYLE
from imbsynth.store.names import printable
from tests.pages.reading import check_page

NASTY = '<b onclick="x()">&amp; \'"</script><img src=x>'


def page_of(*blocks: Block, title: str = "title") -> str:
    return page(title, "best", [Section("section", blocks)], "footer")


def every_block(text: str) -> list[Block]:
    cells: list[Cell] = [text, Bar(text, 0.5, 0.2), Span(text, 0.1, 0.2, 0.3)]
    return [
        Text(text),
        Items([text]),
        CommandLines([text]),
        Table(text, [text, text, text, text], [[text, *cells]], marked=[0], words=[1]),
        Picture(b"bytes", (2, 3), f"picture of {text}", text),
        Section(text, [Text(text)]),
    ]


@given(text=st.text(min_size=1) | st.just(NASTY))
def test_any_text_is_shown_as_it_is_and_never_read_as_html(text: str) -> None:
    read = check_page(page(text, text, [Section(text, every_block(text))], text))
    shown = printable(text)
    expected = {tag: read.words(tag) for tag in ("title", "h1", "h2", "h3", "li", "code", "td")}
    for tag, found in expected.items():
        assert shown.strip() == "" or shown in found, tag
    assert {"picture of " + shown} == {image["alt"] for image in read.tags("img")}
    assert not read.tags("b")


def test_a_name_of_any_bytes_can_be_written() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert "caf\\udce9" in page_of(Text(name)).encode("utf-8").decode()


def test_a_table_has_headers_of_rows_and_columns() -> None:
    read = check_page(page_of(Table("scores", ["method", "ACSA"], [["ros", "91.0"]])))
    assert [a["scope"] for a in read.tags("th")] == ["col", "col", "row"]
    assert read.words("th") == ["method", "ACSA", "ros"]
    assert read.words("td") == ["91.0"]


def test_bars_and_intervals_stay_within_their_cells() -> None:
    cells: list[Cell] = [Bar("x", 7.0, -1), Span("y", -3, 0.5, float("inf"))]
    read = check_page(page_of(Table("t", ["a", "b", "c"], [["r", *cells]])))
    (bar,) = (a for a in read.tags("rect") if a.get("class") == "bar")
    (line,) = read.tags("line")
    assert (bar["width"], line["x1"], line["x2"]) == ("100.0", "0.0", "100.0")
    assert all(a["aria-hidden"] == "true" for a in read.tags("svg"))


def test_sections_in_sections_have_headings_in_order() -> None:
    inner = Section("inner", [Section("innermost", [Text("text")])])
    assert check_page(page_of(inner)).headings == [1, 2, 3, 4]


def test_pictures_that_follow_one_another_stand_side_by_side() -> None:
    one, wide = (
        Picture(b"", (2, 3), "a small one", ""),
        Picture(b"", (2, 9), "another, wide one", ""),
    )
    read = check_page(page_of(one, wide, Text("between"), one))
    boxes = [a for a in read.tags("div") if a.get("class") == "pictures"]
    assert len(boxes) == 2
    assert [a.get("class") for a in read.tags("figure")] == [None, "across", None]


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_has_the_contrast_that_wcag_asks_for(theme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    assert len(roots) == 3
    colours = dict(re.findall(r"--(\w+): (#\w{6})", roots[theme]))
    for ink in ("ink", "quiet", "accent"):
        for ground in ("ground", "raised", "mark"):
            light, dark = sorted(map(luminance, (colours[ink], colours[ground])), reverse=True)[:2]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_there_is_a_style_for_dark_for_paper_and_for_narrow_pages() -> None:
    source = page_of(Text("text"))
    for medium in ("prefers-color-scheme: dark", "@media print", "max-width: 40rem"):
        assert medium in source
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
