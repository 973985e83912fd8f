"""`report`: one page on everything that lies below a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from imbsynth import __version__
from imbsynth.configs import ReportConfig
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.reporting.below import Below, look_below
from imbsynth.engine.reporting.images import image_part
from imbsynth.engine.reporting.origins import origin_part
from imbsynth.engine.reporting.parts import Part
from imbsynth.engine.reporting.predictions import comparison_part, prediction_part
from imbsynth.engine.reporting.scores import score_part
from imbsynth.engine.reporting.synthetic import synthetic_part
from imbsynth.engine.reporting.training import training_part
from imbsynth.engine.reporting.trials import trials_part
from imbsynth.engine.reporting.verdict import is_verdict, verdict_part
from imbsynth.errors import UserError
from imbsynth.pages.blocks import Block, Items, Section, Text
from imbsynth.pages.html import page
from imbsynth.store.names import printable
from imbsynth.store.outputs import check_file_target, claim, new_file
from imbsynth.store.pictures import check_ours
from imbsynth.store.records import read_json
from imbsynth.store.trials import PROTOCOL

NAMED = 20  # files or problems; of more, how many there are


@dataclass(frozen=True)
class Report:
    """What `report` prints."""

    best: str  # the most important sentence
    sections: list[str]  # their titles
    problems: list[str]  # what could not be used, and why
    out: str


def run(config: ReportConfig, *, on_event: OnEvent = silent) -> Report:
    """Look at everything below a folder, and write the page."""
    check_file_target(config.out, force=config.force)
    check_ours(config.out, "page")
    below = look_below(config.src, config.out)
    parts = [part for read in _readers(below) if (part := read(below)) is not None]
    for problem in below.problems:
        on_event(Note(printable(problem)))
    if not parts:
        raise UserError(
            f"{config.src}: no output of imbsynth in this folder or below it",
            "give the folder that holds results, such as an output of evaluate or experiment",
        )
    best = next(filter(None, (part.best for part in parts)), "These are outputs of imbsynth.")
    sections = [_without(part.section, best) for part in parts] + _left_out(below)
    title = f"Report on {config.src.absolute().name}"
    text = page(title, best, sections, f"Made by imbsynth {__version__}.")
    with claim(config.out), new_file(config.out, force=config.force) as file:
        file.write_text(text, encoding="utf-8")
    titles = [section.title for section in sections]
    return Report(best, titles, below.problems, config.out.as_posix())


def _readers(below: Below) -> list[Callable[[Below], Part | None]]:
    """The parts in their order: what says most of what helps comes first."""
    on_folder, on_problems = [], []
    for home in below.experiments:
        protocol = below.attempt(home, partial(read_json, below.root / home / PROTOCOL))
        if protocol is not None and is_verdict(protocol):
            on_folder.append(partial(verdict_part, home=home))
        elif protocol is not None:
            on_problems.append(partial(trials_part, home=home))
    rest = (comparison_part, training_part, synthetic_part, image_part)
    return [*on_folder, score_part, *on_problems, *rest, prediction_part, origin_part]


def _without(section: Section, best: str) -> Section:
    """A section that does not repeat the sentence with which the page begins."""
    return Section(section.title, [block for block in section.blocks if block != Text(best)])


def _left_out(below: Below) -> list[Section]:
    """What the report does not show, if there is anything."""
    blocks: list[Block] = []
    for words, items in (
        ("These could not be used:", below.problems),
        ("These files are not known to imbsynth, or have nothing to show:", below.others),
    ):
        more = len(items) - NAMED
        shown = [*items[:NAMED], *([f"and {more} more"] if more > 0 else [])]
        blocks += [Text(words), Items(shown)] if items else []
    return [Section("What is not in this report", blocks)] if blocks else []
