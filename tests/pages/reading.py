"""A page as a browser reads it, for the tests."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "img", "rect", "line", "br"}


class Page(HTMLParser):
    """Elements in their order, and the text of each; fails on tags that are not closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []  # the element that a text is in, and the text
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def tags(self, name: str) -> list[dict[str, str]]:
        """The attributes of every element of that name."""
        return [attributes for tag, attributes in self.elements if tag == name]

    def words(self, *names: str) -> list[str]:
        """The texts directly in elements of these names."""
        return [text for tag, text in self.texts if tag in names]

    @property
    def headings(self) -> list[int]:
        """The levels of all headings."""
        return [int(tag[1]) for tag, _ in self.elements if tag in {"h1", "h2", "h3", "h4", "h5"}]


def check_page(source: str) -> Page:
    """What every page must be: whole, accessible, and in need of nothing else."""
    page = Page(source)
    assert page.tags("html") == [{"lang": "en"}]
    assert page.tags("meta")[-1]["name"] == "viewport"
    assert not page.tags("script")
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]
    assert all(link["href"].startswith("#part-") for link in page.tags("a"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert ids == [link["href"].removeprefix("#") for link in page.tags("a")]
    for image in page.tags("img"):
        assert image["src"].startswith("data:image/png;base64,")
        assert len(image["alt"]) > 10
        assert int(image["width"]) > 0 < int(image["height"])
    assert all(cell["scope"] in ("row", "col") for cell in page.tags("th"))
    assert len(page.tags("caption")) == len(page.tags("table"))
    levels = page.headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    return page
