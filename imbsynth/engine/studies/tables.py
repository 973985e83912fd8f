"""Results as text: Markdown for people, rows for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from imbsynth.engine.studies.results import METRIC_NAMES, RAREST, Result, Table, tabulate

TITLES = {
    "acsa": "ACSA",
    "gm": "GM",
    "g_mean": "G-mean",
    "f1_macro": "macro F1",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "auroc_macro": "macro AUROC",
    RAREST: "recall of the rarest class",
}


def csv_rows(results: Sequence[Result]) -> Iterator[list[object]]:
    """A header, then a row a result: problem, method, seed, rho, mu, and every metric."""
    metrics = [*METRIC_NAMES, RAREST]
    yield ["problem", "method", "seed", "rho", "mu", *metrics]
    for result in results:
        about = [result.problem, result.method, result.seed, result.rho, result.mu]
        yield [*about, *(result.scores[metric] for metric in metrics)]


def markdown(
    results: Sequence[Result],
    metric: str,
    won: Mapping[str, Mapping[str, int]],
    pairs: Sequence[Mapping[str, Any]],
) -> str:
    """Every metric by problem and method, then who wins against whom by one of them."""
    parts = [
        f"## {TITLES[name]}\n\n{_scores(tabulate(results, name))}"
        for name in (*METRIC_NAMES, RAREST)
    ]
    parts.append(f"## Wins and losses by {TITLES[metric]}\n\n{_wins(won)}")
    if pairs:
        parts.append(f"## Pairs by {TITLES[metric]}\n\n{_pairs(pairs)}")
    return "\n\n".join(parts) + "\n"


def _scores(table: Table) -> str:
    """Percent, mean ± standard deviation over the seeds; the best mean of a row in bold."""
    rows = []
    for i, problem in enumerate(table.problems):
        cells = []
        for j in range(len(table.methods)):
            text = f"{100 * table.mean[i, j]:.2f}"
            best = table.mean[i, j] == np.nanmax(table.mean[i])
            spread = f" ± {100 * table.spread[i, j]:.2f}" if table.seeds[i, j] > 1 else ""
            shown = f"**{text}**{spread}" if best else f"{text}{spread}"
            cells.append(shown if table.seeds[i, j] else "")
        rows.append([problem, *cells])
    return _grid(["", *table.methods], rows)


def _wins(won: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        [
            method,
            *(
                "-" if other == method else f"{against[other]}/{won[other][method]}"
                for other in won
            ),
        ]
        for method, against in won.items()
    ]
    return _grid(["", *won], rows)


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    header = ["first", "second", "mean difference", "p (Shaffer)"]
    header += ["first better", "alike", "second better"]
    rows = [
        [
            pair["first"],
            pair["second"],
            f"{100 * pair['difference']:+.2f}",
            f"{pair['p']:.3f}",
            *(f"{pair[chance]:.2f}" for chance in ("first_better", "alike", "second_better")),
        ]
        for pair in pairs
    ]
    return _grid(header, rows)


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |"]
    lines.append("| --- |" + " ---: |" * (len(header) - 1))
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
