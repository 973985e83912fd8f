"""Blocks as one HTML page, which needs no script and no other file."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from itertools import groupby

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
from imbsynth.pages.style import STYLE
from imbsynth.store.names import printable
from imbsynth.store.pictures import GENERATOR

# Should anything ever escape the escaping, a browser still runs and loads nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

ACROSS = 1.8  # times as wide as high: such a picture gets the whole width


def page(title: str, best: str, sections: Sequence[Section], footer: str) -> str:
    """The page: a title, the most important sentence, a list of its sections, the sections.

    All texts are taken as they are: whatever characters they have, they are shown, not read as
    HTML.
    """
    links = [
        f'<li><a href="#part-{i}">{_text(section.title)}</a></li>'
        for i, section in enumerate(sections, 1)
    ]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        GENERATOR,
        f'<meta http-equiv="Content-Security-Policy" content="{_text(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        f'<header>\n<h1>{_text(title)}</h1>\n<p class="best">{_text(best)}</p>',
        f'<nav aria-label="Sections"><ul>\n{"".join(links)}\n</ul></nav>\n</header>',
        "<main>",
        *(_section(section, 2, f' id="part-{i}"') for i, section in enumerate(sections, 1)),
        "</main>",
        f"<footer><p>{_text(footer)}</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    return html.escape(printable(text))


def _section(section: Section, level: int, anchor: str = "") -> str:
    heading = f"<h{level}{anchor}>{_text(section.title)}</h{level}>"
    blocks = [
        _pictures(list(group)) if together else "\n".join(_block(one, level) for one in group)
        for together, group in groupby(section.blocks, lambda block: isinstance(block, Picture))
    ]
    return "\n".join(["<section>", heading, *blocks, "</section>"])


def _block(block: Block, level: int) -> str:
    if isinstance(block, Section):
        return _section(block, level + 1)
    if isinstance(block, Text):
        return f"<p>{_text(block.text)}</p>"
    if isinstance(block, Items):
        return f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in block.items)}</ul>"
    if isinstance(block, CommandLines):
        return f'<pre tabindex="0"><code>{chr(10).join(map(_text, block.lines))}</code></pre>'
    return _table(block) if isinstance(block, Table) else _pictures([block])


def _pictures(pictures: Sequence[Block]) -> str:
    """Pictures that follow one another, side by side where the page is wide enough."""
    shown = "\n".join(_picture(one) for one in pictures if isinstance(one, Picture))
    return f'<div class="pictures">\n{shown}\n</div>'


def _picture(picture: Picture) -> str:
    height, width = picture.size
    wide = _class("across" if width > ACROSS * height else "")
    data = base64.b64encode(picture.data).decode()
    return (
        f'<figure{wide}><img src="data:image/png;base64,{data}" alt="{_text(picture.alt)}" '
        f'width="{width}" height="{height}">'
        f"<figcaption>{_text(picture.caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    words = {0, *table.words}
    header = "".join(
        f'<th scope="col"{_class("words" if i in words else "")}>{_text(name)}</th>'
        for i, name in enumerate(table.header)
    )
    rows = []
    for i, (name, *cells) in enumerate(table.rows):
        shown = name if isinstance(name, str) else name.text
        fields = [f'<th scope="row">{_text(shown)}</th>']
        fields += [_cell(cell, j in words) for j, cell in enumerate(cells, 1)]
        rows.append(f"<tr{_class('marked' if i in table.marked else '')}>{''.join(fields)}</tr>")
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{_text(table.caption)}">'
        f"<table><caption><span>{_text(table.caption)}</span></caption>\n<thead><tr>{header}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _cell(cell: Cell, words: bool) -> str:
    if isinstance(cell, str):
        return f"<td{_class('words' if words else '')}>{_text(cell)}</td>"
    drawn = _bar(cell) if isinstance(cell, Bar) else _span(cell)
    return (
        f'<td class="drawn">{_text(cell.text)}<svg aria-hidden="true" viewBox="0 0 100 10" '
        f'preserveAspectRatio="none">{drawn}</svg></td>'
    )


def _bar(bar: Bar) -> str:
    full, more = (100 * min(max(x, 0.0), 1.0) for x in (bar.share, bar.lighter))
    parts = ['<rect class="track" width="100" height="10"/>']
    parts += [f'<rect class="bar" width="{full:.1f}" height="10"/>'] if full else []
    if more:
        parts.append(f'<rect class="lighter" x="{full:.1f}" width="{more:.1f}" height="10"/>')
    return "".join(parts)


def _span(span: Span) -> str:
    low, value, high = (100 * min(max(x, 0.0), 1.0) for x in (span.low, span.value, span.high))
    return (
        '<rect class="track" width="100" height="10"/>'
        f'<line class="line" vector-effect="non-scaling-stroke" x1="{low:.1f}" x2="{high:.1f}" '
        'y1="5" y2="5"/>'
        f'<rect class="dot" x="{value - 1:.1f}" y="0" width="2" height="10"/>'
    )
