"""Means and spreads over seeds, from the evaluations NAME-SEED/metrics.json below a folder.

    python experiments/spread.py scores

Prints a Markdown table in percent: mean and standard deviation (n - 1) over the seeds, the best
mean of each column in bold. With --json, the values of every seed instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from imbsynth.core.metric_table import METRICS
from imbsynth.core.significance import leading
from imbsynth.engine.comparison.results import read_results
from imbsynth.engine.comparison.stored import Result
from imbsynth.engine.comparison.summaries import tabulate

SHOWN = ("acsa", "g_mean", "f1_macro")


def by_seed(folder: Path) -> list[Result]:
    """The evaluations, with NAME-SEED taken apart into method and seed."""
    found = []
    for result in read_results(folder):
        method, _, seed = result.method.rpartition("-")
        found.append(result._replace(method=method, seed=int(seed)))
    return found


def markdown(results: list[Result]) -> str:
    """A row per method."""
    tables = [tabulate(results, score) for score in SHOWN]
    titles = " | ".join(METRICS[score].title for score in SHOWN)
    lines = [f"| method | seeds | {titles} |", "| --- " + "| ---: " * 4 + "|"]
    for column, method in enumerate(tables[0].methods):
        cells = []
        for table in tables:
            mean = f"{table.mean[0, column]:.2%}"
            text = f"**{mean}**" if leading(table.mean[0], 0)[column] else mean
            cells.append(f"{text} ± {table.spread[0, column]:.2%}".replace("%", ""))
        lines.append(f"| {method} | {tables[0].seeds[0, column]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def values(results: list[Result]) -> dict[str, dict[str, list[float]]]:
    """{method: {score: values, one per seed}}."""
    return {
        method: {score: [r.scores[score] for r in results if r.method == method] for score in SHOWN}
        for method in dict.fromkeys(result.method for result in results)
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = by_seed(options.scores)
    print(json.dumps(values(found), indent=1) if options.json else markdown(found))


if __name__ == "__main__":
    main()
