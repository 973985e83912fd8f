"""Means and spreads over seeds, out of the evaluations NAME-SEED/metrics.json below a folder.

    python experiments/spread.py scores

Prints a Markdown table in percent: mean and standard deviation (n - 1) over the seeds, the best
mean of each column in bold. With --json, the values of every seed instead.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from pathlib import Path

from imbsynth.configs import CompareConfig
from imbsynth.engine import compare

WORDS = {
    "acsa": "ACSA",
    "g_mean": "G-mean",
    "f1_macro": "macro F1",
    "rarest_recall": "rarest class",
}


def by_method(folder: Path) -> dict[str, dict[str, list[float]]]:
    """{method: {score: values, one a seed}}."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in compare.run(CompareConfig(src=folder)).rows:
        method, _, _ = row["method"].rpartition("-")
        for score in WORDS:
            found[method][score].append(row[score])
    return {method: dict(scores) for method, scores in found.items()}


def markdown(found: dict[str, dict[str, list[float]]]) -> str:
    """A row a method."""
    best = {w: max(statistics.mean(scores[w]) for scores in found.values()) for w in WORDS}
    lines = [f"| method | seeds | {' | '.join(WORDS.values())} |", "| --- " + "| ---: " * 5 + "|"]
    for method, scores in found.items():
        cells = []
        for score in WORDS:
            values = scores[score]
            mean = statistics.mean(values)
            text = f"{100 * mean:.2f}"
            text = f"**{text}**" if mean == best[score] else text
            spread = 100 * statistics.stdev(values) if len(values) > 1 else float("nan")
            cells.append(f"{text} ± {spread:.2f}")
        lines.append(f"| {method} | {len(scores['acsa'])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = by_method(options.scores)
    print(json.dumps(found, indent=1) if options.json else markdown(found))


if __name__ == "__main__":
    main()
