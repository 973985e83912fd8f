"""`imbsynth compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from imbsynth.cli.command import CommandSpec
from imbsynth.cli.console import table
from imbsynth.configs import CompareConfig

if TYPE_CHECKING:
    from imbsynth.engine.compare import Report

SHOWN = ("acsa", "g_mean", "f1_macro", "auroc_macro", "rarest_recall")
LINES = 20  # of pairs, or of what is left out; --json has all


def _summary(report: Report) -> None:
    from imbsynth.store.folders import printable

    for problem in dict.fromkeys(row["problem"] for row in report.rows):
        if problem:
            typer.echo(printable(problem))
        _scores([row for row in report.rows if row["problem"] == problem], report.metric)
        typer.echo("")
    typer.echo("* the best of its column; in brackets the 95 % interval over the test images,")
    typer.echo("after ± the standard deviation over seeds")
    if report.compared["of"] > 1 or report.compared["left_out"]:
        _wins(report)
    if report.friedman is not None:
        _tests(report, report.friedman)
    if report.out is not None:
        shown = ", ".join(f"{report.out}/{name}" for name in ("tables.md", *report.pictures))
        typer.echo(f"look at {shown}")


def _wins(report: Report) -> None:
    """What is compared and what is left out; a row a method, its wins over all others."""
    from imbsynth.store.folders import printable

    typer.echo(f"\nCompared by {report.metric} {report.compared['words']}")
    left_out = report.compared["left_out"]
    for text in left_out[:LINES]:
        typer.echo(f"left out: {printable(text)}")
    _say_more(len(left_out))
    if report.compared["problems"] < 2:
        return
    rows = []
    for method, against in report.wins.items():
        lost = sum(report.wins[other][method] for other in against)
        rows.append([method, f"{report.ranks[method]:.2f}", str(sum(against.values())), str(lost)])
    table(["", "mean rank", "wins", "losses"], rows)


def _tests(report: Report, p: float) -> None:
    from imbsynth.engine.comparison.tables import CHANCES, p_in_words

    typer.echo(f"\nAll methods alike over the problems (Friedman): {p_in_words(p)}")
    rows = [
        [
            f"{pair['first']} - {pair['second']}",
            f"{pair['difference']:+.4f}",
            f"{pair['p']:.3f}",
            *(f"{pair[chance]:.2f}" for chance in CHANCES),
        ]
        for pair in report.pairs[:LINES]
    ]
    table(["pair", "difference", "p (Shaffer)", "first better", "alike", "second better"], rows)
    _say_more(len(report.pairs))
    typer.echo(f"alike: no further apart than {report.rope:g}")


def _say_more(count: int) -> None:
    if count > LINES:
        typer.echo(f"and {count - LINES} more, which --json has")


def _scores(rows: list[dict[str, Any]], metric: str) -> None:
    """A row a method; the metric compared by first, with what is known of its uncertainty."""
    from imbsynth.engine.comparison.tables import TITLES

    columns = [metric, *(name for name in SHOWN if name != metric)]
    cells = []
    for row in rows:
        shown = [f"{row[name]:.4f}{'*' if name in row['best'] else ' '}" for name in columns]
        if row["seeds"] > 1:
            shown[0] += f" ± {row[metric + '_spread']:.4f} ({row['seeds']})"
        elif metric in row["intervals"]:
            low, high = row["intervals"][metric]
            shown[0] += f" [{low:.3f}, {high:.3f}]"
        cells.append([row["method"], *shown])
    table(["", *(TITLES[name] for name in columns)], cells)


COMMAND = CommandSpec(
    CompareConfig,
    _summary,
    examples=(
        "results",
        "experiment --metric f1_macro --out tables",
    ),
)
