"""The tables of a comparison as Markdown, for tables.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imbsynth.core.metric_table import COMPARED
from imbsynth.engine.comparison.ranking import CHANCES
from imbsynth.engine.comparison.sentences import marked, p_value, warning, when_clear
from imbsynth.store.names import printable

if TYPE_CHECKING:
    from imbsynth.engine.compare import Report
    from imbsynth.engine.comparison.summaries import Summary

# What Markdown does not show as it is: also links, entities like &lt;, and _ around a word.
SPECIAL = re.compile(r"[\\`*<|~]|(?<=\])\(|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
PAIRS_SHOWN = 20  # those with the smallest p; pairs.csv has all


def markdown(report: Report) -> str:
    """A table per problem with a row per method; before them, if there are several problems, the
    table of one metric over all problems and which method is better by it.
    """
    problems = list(dict.fromkeys(row["problem"] for row in report.rows))
    parts = []
    if len(problems) > 1:
        parts += [f"## {COMPARED[report.metric].title} by problem", _overview(report, problems)]
        parts += _ranking(report)
    for problem in problems:
        rows = [row for row in report.rows if row["problem"] == problem]
        parts += [f"## {_escaped(problem) or 'Single evaluations'}", _scores(rows, report.metric)]
    if len(problems) == 1 and report.compared["excluded"]:
        parts.append(_covered(report))
    notes = (
        "In percent, mean ± standard deviation over the seeds. In bold: the best mean, and those "
        f"at most {100 * report.rope:g} below it."
    )
    if any(row["seeds"] == 1 for row in report.rows):
        notes += " In brackets, of one seed, the 95 % interval over the test images."
    warned = [_escaped(warning(report.rows))] if warning(report.rows) else []
    return "\n\n".join([*parts, notes, *warned, *_image_by_image(report)]) + "\n"


def _scores(rows: Sequence[Summary], metric: str) -> str:
    """A row per method; the metric by which methods are compared comes first."""
    columns = [metric, *(name for name in COMPARED if name != metric)]
    lines = [
        [
            marked(row),
            str(row["seeds"]),
            _score(row, metric) + _interval(row, metric),
            *(_score(row, name) for name in columns[1:]),
        ]
        for row in rows
    ]
    return _grid(["", "seeds", *(COMPARED[name].title for name in columns)], lines)


def _overview(report: Report, problems: list[str]) -> str:
    """One metric by problem and method; the more numerous of the two are the rows."""
    methods = list(dict.fromkeys(row["method"] for row in report.rows))
    shown = {(row["problem"], row["method"]): _score(row, report.metric) for row in report.rows}
    if len(problems) > len(methods):
        lines = [[p or "-", *(shown.get((p, m), "") for m in methods)] for p in problems]
        return _grid(["", *methods], lines)
    lines = [[m, *(shown.get((p, m), "") for p in problems)] for m in methods]
    return _grid(["", *(problem or "-" for problem in problems)], lines)


def _score(row: Summary, metric: str) -> str:
    text = f"{100 * row[metric]:.2f}"
    text = f"**{text}**" if metric in row["best"] else text
    return f"{text} ± {100 * row[f'{metric}_spread']:.2f}" if row["seeds"] > 1 else text


def _interval(row: Summary, metric: str) -> str:
    if metric not in row.get("intervals", {}):
        return ""
    low, high = row["intervals"][metric]
    return f" [{100 * low:.1f}, {100 * high:.1f}]"


def _ranking(report: Report) -> list[str]:
    """Wins and ranks, then the tests if there are enough results for them."""
    title = COMPARED[report.metric].title
    parts = [f"## Wins and losses by {title}", _covered(report)]
    if report.compared["seeds"]:
        parts.append(_wins(report))
    if report.friedman is not None:
        parts += [f"## Tests by {title}", _friedman(report, report.friedman), _pairs(report)]
        more = len(report.pairs) - PAIRS_SHOWN
        parts += [f"And {more} more, in `pairs.csv`."] if more > 0 else []
    return parts


def _image_by_image(report: Report) -> list[str]:
    """Which single evaluation is best; nothing if there are no two of them."""
    found = report.image_by_image
    parts = [_escaped(group["sentence"]) for group in found["groups"]]
    parts += [when_clear(report.rope)] if parts else []
    parts += [_bullets("Left out:", found["left_out"])] if found["left_out"] else []
    return [f"## {COMPARED[found['metric']].title}, image by image", *parts] if parts else []


def _covered(report: Report) -> str:
    """What the wins and the tests are over, and what is left out of them."""
    words, left_out = report.compared["words"], report.compared["left_out"]
    said = f"{words[0].upper()}{words[1:]}."
    return _bullets(f"{said} Left out:", left_out) if left_out else said


def _bullets(title: str, sentences: Sequence[str]) -> str:
    return "\n".join([title, "", *(f"- {_escaped(text)}" for text in sentences)])


def _wins(report: Report) -> str:
    lines = []
    for method, against in report.wins.items():
        fields = [
            "-" if other == method else f"{against[other]}/{report.wins[other][method]}"
            for other in report.wins
        ]
        lines.append([method, f"{report.ranks[method]:.2f}", *fields])
    return _grid(["", "mean rank", *report.wins], lines)


def _friedman(report: Report, p: float) -> str:
    return (
        f"All methods alike (Friedman): {p_value(p)}, "
        f"{report.compared['words']}. Of pairs, p by Shaffer's procedure, and the chances of the "
        f"Bayesian signed-rank test; differences up to {100 * report.rope:g} (the rope) are alike."
    )


def _pairs(report: Report) -> str:
    header = ["first", "second", "mean difference", "p", "first better", "alike", "second better"]
    lines = [
        [
            pair["first"],
            pair["second"],
            f"{100 * pair['difference']:+.2f}",
            f"{pair['p']:.3f}",
            *(f"{pair[chance]:.2f}" for chance in CHANCES),
        ]
        for pair in report.pairs[:PAIRS_SHOWN]
    ]
    return _grid(header, lines, names=2)


def _grid(header: Sequence[str], lines: Sequence[Sequence[str]], *, names: int = 1) -> str:
    """A Markdown table; the header and the first `names` columns may hold any characters."""
    rows = ["| " + " | ".join(map(_escaped, header)) + " |"]
    rows.append("|" + " --- |" * names + " ---: |" * (len(header) - names))
    for line in lines:
        fields = [*map(_escaped, line[:names]), *line[names:]]
        rows.append("| " + " | ".join(fields) + " |")
    return "\n".join(rows)


def _escaped(name: str) -> str:
    """A name as it is, on one line in one field, whatever Markdown characters it contains."""
    return SPECIAL.sub(r"\\\g<0>", printable(name))
