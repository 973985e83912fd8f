"""`compare` as the command line runs it, and what it prints."""

from __future__ import annotations

import typer

from imbsynth.cli.console import table
from imbsynth.cli.markdown import markdown
from imbsynth.configs import CompareConfig
from imbsynth.core.metric_table import METRICS
from imbsynth.engine import compare
from imbsynth.engine.compare import TABLES, Report
from imbsynth.engine.comparison.ranking import CHANCES
from imbsynth.engine.comparison.sentences import marked, p_value, warning, when_clear
from imbsynth.engine.comparison.summaries import Summary
from imbsynth.engine.events import OnEvent, silent
from imbsynth.store.names import printable

SHOWN = ("acsa", "g_mean", "f1_macro", "auroc_macro", "rarest_recall")
LINES = 20  # of pairs, or of what is left out; --json has all


def run(config: CompareConfig, *, on_event: OnEvent = silent) -> Report:
    """Compare, and write tables.md too."""
    return compare.run(config, on_event=on_event, as_text=markdown)


def summary(report: Report) -> None:
    """Print a table per problem, then which method is better over all of them."""
    for problem in dict.fromkeys(row["problem"] for row in report.rows):
        if problem:
            typer.echo(printable(problem))
        _scores([row for row in report.rows if row["problem"] == problem], report.metric)
        typer.echo("")
    if signs := _signs(report):
        typer.echo("; ".join(signs))
    if warning(report.rows):
        typer.echo(warning(report.rows))
    if report.compared["of"] > 1 or report.compared["left_out"]:
        _wins(report)
    if report.friedman is not None:
        _tests(report, report.friedman)
    _image_by_image(report)
    if report.out is not None:
        shown = ", ".join(f"{report.out}/{name}" for name in (TABLES, *report.pictures))
        typer.echo(f"look at {shown}")


def _scores(rows: list[Summary], metric: str) -> None:
    """A row per method; the metric by which methods are compared first, with its uncertainty."""
    columns = [metric, *(name for name in SHOWN if name != metric)]
    lines = []
    for row in rows:
        shown = [f"{row[name]:.4f}{'*' if name in row['best'] else ' '}" for name in columns]
        if row["seeds"] > 1:
            shown[0] += f" ± {row[metric + '_spread']:.4f} ({row['seeds']})"
        elif metric in row["intervals"]:
            low, high = row["intervals"][metric]
            shown[0] += f" [{low:.3f}, {high:.3f}]"
        lines.append([marked(row), *shown])
    table(["", *(METRICS[name].title for name in columns)], lines)


def _signs(report: Report) -> list[str]:
    """What the signs in the tables mean, of those that are there."""
    rows, metric = report.rows, report.metric
    meanings = {
        f"* the best of its column, or at most {report.rope:g} below it": any(
            row["best"] for row in rows
        ),
        "in brackets the 95 % interval over the test images": any(
            row["seeds"] == 1 and metric in row["intervals"] for row in rows
        ),
        "after ± the standard deviation over seeds or folds (and their number)": any(
            row["seeds"] > 1 for row in rows
        ),
    }
    return [meaning for meaning, there in meanings.items() if there]


def _wins(report: Report) -> None:
    """What is compared and what is left out; a row per method with its wins over all others."""
    if report.compared["problems"]:
        typer.echo(f"\nCompared by {report.metric} {report.compared['words']}")
    else:
        typer.echo("\nNot ranked: every method needs a result on the same problem")
    _left_out(report.compared["left_out"])
    if report.compared["problems"] < 2:
        return
    rows = []
    for method, against in report.wins.items():
        lost = sum(report.wins[other][method] for other in against)
        rows.append([method, f"{report.ranks[method]:.2f}", str(sum(against.values())), str(lost)])
    table(["", "mean rank", "wins", "losses"], rows)


def _tests(report: Report, p: float) -> None:
    typer.echo(f"\nAll methods equally good over the problems (Friedman): {p_value(p)}")
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


def _image_by_image(report: Report) -> None:
    """Which single evaluation is best, or why none is compared; nothing if there are no two."""
    found = report.image_by_image
    metric, other = found["metric"], report.metric
    beside = "" if metric == other else f" (there is no such test by {other})"
    if found["groups"]:
        typer.echo(f"\nCompared by {metric}, image by image{beside}")
    elif found["left_out"]:
        typer.echo("\nNot compared image by image")
    for group in found["groups"]:
        typer.echo(printable(group["sentence"]))
    if found["groups"]:
        typer.echo(when_clear(report.rope))
    _left_out(found["left_out"])


def _left_out(sentences: list[str]) -> None:
    for text in sentences[:LINES]:
        typer.echo(f"left out: {printable(text)}")
    _say_more(len(sentences))


def _say_more(count: int) -> None:
    if count > LINES:
        typer.echo(f"and {count - LINES} more, which --json has")
