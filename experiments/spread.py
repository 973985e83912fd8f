"""Means and spreads over seeds, out of the evaluations NAME-SEED/metrics.json below a folder.

    python experiments/spread.py scores

Prints a Markdown table in percent: mean and standard deviation (n - 1) over the seeds, the best
mean of each column in bold. With --json, the values of every seed instead.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from imbsynth.core.significance import best
from imbsynth.engine.comparison.results import Result, read_results, tabulate

WORDS = {"acsa": "ACSA", "g_mean": "G-mean", "f1_macro": "macro F1"}


def by_seed(folder: Path) -> list[Result]:
    """The evaluations, their method and seed told apart."""
    found = []
    for result in read_results(folder):
        method, _, seed = result.method.rpartition("-")
        found.append(result._replace(method=method, seed=int(seed)))
    return found


def markdown(results: list[Result]) -> str:
    """A row a method."""
    tables = [tabulate(results, score) for score in WORDS]
    lines = [f"| method | seeds | {' | '.join(WORDS.values())} |", "| --- " + "| ---: " * 4 + "|"]
    for column, method in enumerate(tables[0].methods):
        cells = []
        for table in tables:
            mean = f"{table.mean[0, column]:.2%}"
            text = f"**{mean}**" if best(table.mean[0])[column] else mean
            cells.append(f"{text} ± {table.spread[0, column]:.2%}".replace("%", ""))
        lines.append(f"| {method} | {tables[0].seeds[0, column]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def values(results: list[Result]) -> dict[str, dict[str, list[float]]]:
    """{method: {score: values, one a seed}}."""
    return {
        method: {score: [r.scores[score] for r in results if r.method == method] for score in WORDS}
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
