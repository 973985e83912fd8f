"""`imbsynth compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imbsynth.cli.console import execute, table
from imbsynth.cli.options import Config, Json, Quiet
from imbsynth.configs import CompareConfig

if TYPE_CHECKING:
    from imbsynth.engine.compare import Report


def compare(
    src: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder with what `evaluate --out` wrote.", show_default=False
        ),
    ],
    json: Json = False,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Put the scores of all evaluations below a folder into one table.

    In brackets: the 95 % interval of one evaluation, for the test set alone; how much another
    seed of the training would change is not in it.

    Example: imbsynth compare results
    """
    from imbsynth.engine.compare import run

    settings = CompareConfig(src=src)
    execute(run, settings, quiet=quiet, json=json, summary=_summary)


def _summary(report: Report) -> None:
    best = {score: max(row[score] for row in report.rows) for score in WORDS}
    rows = []
    for row in report.rows:
        low, high = row["intervals"]["acsa"]
        marked = [f"{row[s]:.4f}{'*' if row[s] == best[s] else ' '}" for s in WORDS]
        rows.append([row["name"], f"{marked[0]} [{low:.3f}, {high:.3f}]", *marked[1:]])
    table(["", *WORDS.values()], rows)
    typer.echo("\n* the best of its column; in brackets the 95 % interval over the test images")


WORDS = {
    "acsa": "ACSA",
    "g_mean": "G-mean",
    "f1_macro": "macro F1",
    "auroc_macro": "AUROC",
    "rarest_recall": "rarest class",
}
