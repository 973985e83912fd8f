"""`imbsynth compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imbsynth.cli.console import execute, table
from imbsynth.cli.options import Config, Force, Json, Quiet, Seed
from imbsynth.configs import CompareConfig, Metric

if TYPE_CHECKING:
    from imbsynth.engine.compare import Report


def compare(
    src: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder with what `evaluate --out` wrote, or the --out of experiments.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        Metric, typer.Option(metavar="NAME", help="The score by which methods are compared.")
    ] = CompareConfig.metric,
    rope: Annotated[
        float, typer.Option(help="A difference of that score that does not matter.")
    ] = CompareConfig.rope,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to make, with tables.md, the same as CSV files, and pictures.",
            show_default=False,
        ),
    ] = CompareConfig.out,
    seed: Seed = CompareConfig.seed,
    force: Force = CompareConfig.force,
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Put the scores of many evaluations into one table, and say which method is better.

    All experiments and evaluations below the folder are read. Single evaluations show the 95 %
    interval over their test images; how much another seed of the training would change is not in
    it. Experiments show means and standard deviations over their seeds, and, from three problems
    and three methods on, Friedman's test, Shaffer's for pairs, and the chances that one is better
    by the Bayesian signed-rank test. Wins and tests are over the problems on which every method
    has a result, with the seeds that all of them have; what is left out is said.

    Where an experiment has several imbalance ratios (or values of mu), --out also draws the score
    over them, robustness.png.

    Example: imbsynth compare results

    Example: imbsynth compare experiment --metric f1_macro --out tables
    """
    from imbsynth.engine.compare import run

    settings = CompareConfig(src=src, metric=metric, rope=rope, out=out, seed=seed, force=force)
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


SHOWN = ("acsa", "g_mean", "f1_macro", "auroc_macro", "rarest_recall")
LINES = 20  # of pairs, or of what is left out; --json has all


def _summary(report: "Report") -> None:
    from imbsynth.store.names import printable

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


def _wins(report: "Report") -> None:
    """What is compared and what is left out; a row a method, its wins over all others."""
    from imbsynth.store.names import printable

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


def _tests(report: "Report", p: float) -> None:
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
