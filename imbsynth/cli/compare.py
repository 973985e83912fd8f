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
            help="Folder with what `evaluate --out` wrote, or the --out of an experiment.",
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
            help="Folder to make, with tables.md, results.csv and pictures.",
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

    Single evaluations show the 95 % interval over their test images; how much another seed of the
    training would change is not in it. An experiment shows means and standard deviations over its
    seeds, and, from three problems and three methods on, Friedman's test, Shaffer's for pairs, and
    the chances that one is better by the Bayesian signed-rank test.

    Where an experiment has several imbalance ratios (or values of mu), --out also draws the score
    over them, robustness.png.

    Example: imbsynth compare results

    Example: imbsynth compare experiment --metric f1_macro --out tables
    """
    from imbsynth.engine.compare import run

    settings = CompareConfig(src=src, metric=metric, rope=rope, out=out, seed=seed, force=force)
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: "Report") -> None:
    for problem in dict.fromkeys(row["problem"] for row in report.rows):
        if problem:
            typer.echo(f"{problem}")
        _scores([row for row in report.rows if row["problem"] == problem], report.metric)
        typer.echo("")
    typer.echo("* the best of its column; in brackets the 95 % interval over the test images,")
    typer.echo("after ± the standard deviation over seeds")
    if report.friedman is not None:
        typer.echo(f"\nAll methods alike over the problems (Friedman): p = {report.friedman:.4f}")
        table(
            ["pair", "difference", "p (Shaffer)", "first better", "alike", "second better"],
            [
                [
                    f"{pair['first']} - {pair['second']}",
                    f"{pair['difference']:+.4f}",
                    f"{pair['p']:.3f}",
                    *(f"{pair[name]:.2f}" for name in ("first_better", "alike", "second_better")),
                ]
                for pair in report.pairs
            ],
        )
    if report.out is not None:
        shown = " and ".join(f"{report.out}/{name}" for name in report.pictures)
        typer.echo(f"look at {shown}")


def _scores(rows: list[dict[str, Any]], metric: str) -> None:
    """A row a method; the metric compared by first, with what is known of its uncertainty."""
    columns = [metric, *(name for name in WORDS if name != metric)]
    best = {name: max(row[name] for row in rows) for name in columns}
    cells = []
    for row in rows:
        shown = [f"{row[name]:.4f}{'*' if row[name] == best[name] else ' '}" for name in columns]
        if "intervals" in row:
            low, high = row["intervals"][metric]
            shown[0] += f" [{low:.3f}, {high:.3f}]"
        else:
            shown[0] += f" ± {row[metric + '_spread']:.4f} ({row['seeds']})"
        cells.append([row["method"], *shown])
    table(["", *(WORDS.get(name, name) for name in columns)], cells)


WORDS = {
    "acsa": "ACSA",
    "g_mean": "G-mean",
    "f1_macro": "macro F1",
    "auroc_macro": "AUROC",
    "rarest_recall": "rarest class",
}
