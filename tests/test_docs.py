"""The documentation: links resolve, commands and options exist, and the README stays short."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

import imbsynth
from imbsynth import configs
from imbsynth.cli import app
from imbsynth.core import tables
from imbsynth.core.metric_table import METRICS

PROJECT = Path(imbsynth.__file__).parent.parent
README = PROJECT / "README.md"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "*/README.md")
    for path in PROJECT.glob(pattern)
    if not path.relative_to(PROJECT).parts[0].startswith(".")
)
# "Cui et al., 2019" and "Tan and Le, 2019"; the last two of a longer list of names are no citation.
CITED = re.compile(r"(?<!, )\b([A-Z]\w+ (?:et al\.|and [A-Z]\w+)),? \(?((?:19|20)\d\d)\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_ENGLISH = (
    *("hang on", "hangs on", "held against", "gone on with", "deal out", "dealt out", "so many"),
    *("counted alike", "weighs alike", "said so", "of none", "no numbers", "anew"),
)


def commands() -> dict[str, Any]:
    """The commands of the command line, by name."""
    return dict(typer.main.get_group(app).commands)


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The code blocks of a page in these languages."""
    for language, code in FENCE.findall(page.read_text()):
        if language in languages:
            yield code


def invocations(page: Path) -> list[list[str]]:
    """The words of every `imbsynth COMMAND ...` in the shell and make blocks of a page."""
    found = []
    for code in blocks(page, "sh", "make"):
        for line in code.replace("\\\n", " ").splitlines():
            text = re.sub(r"\$\(if .*\)", "", line).strip()  # make's, which expands to options
            if text.startswith("imbsynth "):
                found.append(shlex.split(text, comments=True)[1:])
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken(page: Path) -> list[str]:
    """The links of a page to files and headings that do not exist."""
    missing = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


by_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda path: path.relative_to(PROJECT).as_posix()
)


@by_page
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    assert not broken(page)


def test_links_lead_from_the_readme_to_every_page_of_the_documentation() -> None:
    found, ahead = {README}, [README]
    while ahead:
        page = ahead.pop()
        names = {link.partition("#")[0] for link in LINK.findall(page.read_text())}
        linked = {(page.parent / name).resolve() for name in names if name.endswith(".md")}
        ahead += (linked & set(PAGES)) - found
        found |= linked
    assert set(PAGES) - found == set()


@by_page
def test_every_command_shown_can_be_parsed(page: Path) -> None:
    known = commands()
    for name, *arguments in invocations(page):
        if not name.startswith("-"):
            known[name].make_context(name, arguments)  # raises for what is no option


@by_page
def test_python_examples_use_names_that_exist(page: Path) -> None:
    for code in blocks(page, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("imbsynth."):
                name = ast.unparse(node.func).removeprefix("imbsynth.")
                assert name.replace("_", "-") in {*commands(), "balanced"}
                config = getattr(configs, name.title().replace("_", "") + "Config")
                assert {k.arg for k in node.keywords} <= {f.name for f in fields(config)}


@by_page
def test_the_language_is_that_of_the_glossary(page: Path) -> None:
    text = " ".join(page.read_text().split())
    assert not [words for words in NOT_ENGLISH if re.search(rf"\b{words}\b", text)]


def test_the_readme_is_short_and_names_every_command() -> None:
    readme = README.read_text()
    assert len(readme.splitlines()) <= 200
    assert not [name for name in commands() if f"imbsynth {name}" not in readme]


def test_the_documentation_names_every_option() -> None:
    documented = "".join(page.read_text() for page in PAGES)
    missing = [
        f"{name} {option}"
        for name, command in commands().items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
        and option != "--help"
        and not re.search(rf"(?<!\w){option}\b", documented)
    ]
    assert not missing


def test_the_changelog_names_the_version_and_what_is_not_released() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text()
    assert f"## [{imbsynth.__version__}]" in changelog
    assert "## [Unreleased]" in changelog


def test_the_citation_has_the_version() -> None:
    assert f"version: {imbsynth.__version__}\n" in (PROJECT / "CITATION.cff").read_text()


def test_the_references_list_every_paper_that_is_cited() -> None:
    listed = re.findall(
        r"^- \*\*(.+?)\.\*\* ", (PROJECT / "docs/references.md").read_text(), re.MULTILINE
    )
    named = [METRICS, *(table for name, table in vars(tables).items() if name.isupper())]
    sources = {entry.source for table in named for entry in table.values() if entry.source}
    for page in PAGES:
        found = CITED.findall(" ".join(page.read_text().split()))
        sources |= {f"{names}, {year}" for names, year in found}
    assert sources - set(listed) == set()
    assert listed == sorted(listed, key=str.casefold)
