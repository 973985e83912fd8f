"""Results as text: Markdown for people, rows for CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from imbsynth.core import significance
from imbsynth.engine.comparison.contests import Common, Contest, in_words
from imbsynth.engine.comparison.results import SCORES, Result, tabulate
from imbsynth.store.names import printable

TITLES = {
    "acsa": "ACSA",
    "gm": "GM",
    "g_mean": "G-mean",
    "f1_macro": "macro F1",
    "mcc": "MCC",
    "kappa": "kappa",
    "auroc_macro": "AUROC",
    "rarest_recall": "rarest class",
}
PAIRS_SHOWN = 20  # of the surest; pairs.csv has all
CHANCES = ("first_better", "alike", "second_better")
Row = dict[str, Any]


def score_rows(results: Sequence[Result]) -> list[Row]:
    """A row a problem and method: of each metric the mean over the seeds, and the spread.

    Besides, the number of `seeds`, the metrics in which it is `best` on the problem, and of one
    seed the `intervals` over the test images.
    """
    tables = {metric: tabulate(results, metric) for metric in SCORES}
    shape = tables[SCORES[0]]
    intervals = {(result.problem, result.method): result.intervals for result in results}
    rows = []
    for i, problem in enumerate(shape.problems):
        best = {metric: significance.best(table.mean[i]) for metric, table in tables.items()}
        for j, method in enumerate(shape.methods):
            if not shape.seeds[i, j]:
                continue
            row: Row = {"problem": problem, "method": method, "seeds": int(shape.seeds[i, j])}
            for metric, table in tables.items():
                row[metric] = float(table.mean[i, j])
                row[f"{metric}_spread"] = float(table.spread[i, j])
            row["best"] = [metric for metric in SCORES if best[metric][j]]
            if row["seeds"] == 1:
                row["intervals"] = intervals[problem, method]
            rows.append(row)
    return rows


def result_lines(results: Sequence[Result]) -> Iterator[list[object]]:
    """A header, then a line a result: problem, method, seed, rho, mu, and every metric."""
    yield ["problem", "method", "seed", "rho", "mu", *SCORES]
    for result in results:
        about = [result.problem, result.method, result.seed, result.rho, result.mu]
        yield [*about, *(result.scores[metric] for metric in SCORES)]


def summary_lines(rows: Sequence[Row]) -> Iterator[list[object]]:
    """A header, then a line a problem and method: seeds, then mean and sd of every metric.

    Of one seed, the standard deviation is unknown: nothing stands in its place.
    """
    yield [
        "problem",
        "method",
        "seeds",
        *(f"{m}_{what}" for m in SCORES for what in ("mean", "sd")),
    ]
    for row in rows:
        line: list[object] = [row["problem"], row["method"], row["seeds"]]
        for metric in SCORES:
            line += [row[metric], row[f"{metric}_spread"] if row["seeds"] > 1 else None]
        yield line


def win_lines(contest: Contest) -> Iterator[list[object]]:
    """A header, then a line a method and another one: on how many problems it wins, and loses."""
    yield ["method", "other", "wins", "losses", "ties", "problems"]
    problems = len(contest.common.seeds)
    for method, against in contest.wins.items():
        for other, won in against.items():
            lost = contest.wins[other][method]
            yield [method, other, won, lost, problems - won - lost, problems]


def pair_lines(contest: Contest) -> Iterator[list[object]]:
    """A header, then a line a pair: the mean difference, p, and the three chances."""
    columns = ["first", "second", "difference", "p", *CHANCES]
    yield list(columns)
    for pair in contest.pairs:
        yield [pair[column] for column in columns]


def markdown(rows: Sequence[Row], contest: Contest, metric: str, rope: float) -> str:
    """A table a problem, a row a method; of several problems, first who wins by one metric."""
    problems = list(dict.fromkeys(row["problem"] for row in rows))
    parts = []
    if len(problems) > 1:
        parts += [f"## {TITLES[metric]} by problem", _overview(rows, problems, metric)]
        parts += _contest(contest, metric, rope)
    for problem in problems:
        parts += [f"## {_escaped(problem) or 'Single evaluations'}"]
        parts += [_scores([row for row in rows if row["problem"] == problem], metric)]
    if len(problems) == 1 and contest.common.left_out:
        parts.append(_left_out(contest))
    notes = "In percent, mean ± standard deviation over the seeds; the best mean in bold."
    if any(row["seeds"] == 1 for row in rows):
        notes += " In brackets, of one seed, the 95 % interval over the test images."
    return "\n\n".join([*parts, notes]) + "\n"


def _scores(rows: Sequence[Row], metric: str) -> str:
    """A row a method; the metric that is compared by comes first."""
    columns = [metric, *(name for name in SCORES if name != metric)]
    lines = [
        [
            row["method"],
            str(row["seeds"]),
            _score(row, metric) + _interval(row, metric),
            *(_score(row, name) for name in columns[1:]),
        ]
        for row in rows
    ]
    return _grid(["", "seeds", *(TITLES[name] for name in columns)], lines)


def _overview(rows: Sequence[Row], problems: list[str], metric: str) -> str:
    """One metric by problem and method; of which there are more, they stand below each other."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    shown = {(row["problem"], row["method"]): _score(row, metric) for row in rows}
    if len(problems) > len(methods):
        lines = [[p or "-", *(shown.get((p, m), "") for m in methods)] for p in problems]
        return _grid(["", *methods], lines)
    lines = [[m, *(shown.get((p, m), "") for p in problems)] for m in methods]
    return _grid(["", *(problem or "-" for problem in problems)], lines)


def _score(row: Row, metric: str) -> str:
    text = f"{100 * row[metric]:.2f}"
    text = f"**{text}**" if metric in row["best"] else text
    return f"{text} ± {100 * row[f'{metric}_spread']:.2f}" if row["seeds"] > 1 else text


def _interval(row: Row, metric: str) -> str:
    if metric not in row.get("intervals", {}):
        return ""
    low, high = row["intervals"][metric]
    return f" [{100 * low:.1f}, {100 * high:.1f}]"


def _contest(contest: Contest, metric: str, rope: float) -> list[str]:
    """Wins and ranks, then what the tests say, where there is enough for them."""
    parts = [f"## Wins and losses by {TITLES[metric]}", _left_out(contest)]
    if contest.common.seeds:
        parts.append(_wins(contest))
    if contest.friedman is not None:
        said = _friedman(contest.friedman, contest.common, rope)
        parts += [f"## Tests by {TITLES[metric]}", said, _pairs(contest)]
        more = len(contest.pairs) - PAIRS_SHOWN
        parts += [f"And {more} more, in `pairs.csv`."] if more > 0 else []
    return parts


def _left_out(contest: Contest) -> str:
    """What the wins and the tests are over, and what is not in them."""
    words = in_words(contest.common)
    said = f"{words[0].upper()}{words[1:]}."
    if not contest.common.left_out:
        return said
    lines = [f"- {_escaped(text)}" for text in contest.common.left_out]
    return "\n".join([f"{said} Left out:", "", *lines])


def _wins(contest: Contest) -> str:
    lines = []
    for method, against in contest.wins.items():
        cells = [
            "-" if other == method else f"{against[other]}/{contest.wins[other][method]}"
            for other in contest.wins
        ]
        lines.append([method, f"{contest.ranks[method]:.2f}", *cells])
    return _grid(["", "mean rank", *contest.wins], lines)


def _friedman(p: float, common: Common, rope: float) -> str:
    return (
        f"All methods alike (Friedman): {p_in_words(p)}, "
        f"{in_words(common)}. Of pairs, p by Shaffer's procedure, and the chances of the "
        f"Bayesian signed-rank test; differences up to {100 * rope:g} (the rope) are alike."
    )


def p_in_words(p: float) -> str:
    """A p-value, which is never 0."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def _pairs(contest: Contest) -> str:
    header = ["first", "second", "mean difference", "p", "first better", "alike", "second better"]
    lines = [
        [
            pair["first"],
            pair["second"],
            f"{100 * pair['difference']:+.2f}",
            f"{pair['p']:.3f}",
            *(f"{pair[chance]:.2f}" for chance in CHANCES),
        ]
        for pair in contest.pairs[:PAIRS_SHOWN]
    ]
    return _grid(header, lines, names=2)


def _grid(header: Sequence[str], lines: Sequence[Sequence[str]], *, names: int = 1) -> str:
    """A Markdown table; the header and the first `names` columns are anybody's text."""
    rows = ["| " + " | ".join(map(_escaped, header)) + " |"]
    rows.append("|" + " --- |" * names + " ---: |" * (len(header) - names))
    for line in lines:
        cells = [*map(_escaped, line[:names]), *line[names:]]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _escaped(name: str) -> str:
    """A name as it is, in one cell of one line, whatever signs of Markdown it has in it."""
    return re.sub(r"([\\`*<|])", r"\\\1", printable(name))
