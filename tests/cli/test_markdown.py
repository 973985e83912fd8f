from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from imbsynth.cli.markdown import _escaped, markdown
from imbsynth.configs import CompareConfig
from imbsynth.core.metric_table import COMPARED
from imbsynth.engine.compare import _report
from imbsynth.engine.comparison import sheets
from imbsynth.engine.comparison.ranking import rank
from imbsynth.engine.comparison.stored import EVALUATED, Result
from imbsynth.store.records import write_table

RESULTS = Path(__file__).parent.parent.parent / "experiments/results"
COMMITTED = sorted(path.parent for path in RESULTS.glob("*/tables.md"))


def read(folder: Path) -> list[Result]:
    """The results of a results.csv, which has no intervals."""
    results = []
    with open(folder / "results.csv", newline="") as file:
        for row in csv.DictReader(file):
            scores = {name: float(row[name]) for name in COMPARED}
            about = row["problem"], row["method"], int(row["seed"])
            results.append(Result(*about, scores, dict.fromkeys(EVALUATED, (np.nan, np.nan))))
            rho, mu = float(row["rho"]), float(row["mu"])
            results[-1] = results[-1]._replace(rho=rho, mu=mu, source="an experiment")
    return results


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda path: path.name)
def test_the_committed_tables_are_what_compare_writes(folder: Path, tmp_path: Path) -> None:
    results = read(folder)
    settings = json.loads((folder / "run.json").read_text())["config"]
    metric, rope, seed = settings["metric"], settings["rope"], settings["seed"]
    ranking = rank(results, metric, rope, seed)
    report = _report(CompareConfig(src=folder, metric=metric, rope=rope), results, ranking, [])
    committed = (folder / "tables.md").read_text()
    written = markdown(report)
    # The intervals of methods with one seed are in tables.md alone.
    assert written.count(" [nan, nan]") == sum(row["seeds"] == 1 for row in report.rows)
    for line, expected in zip(written.split("\n"), committed.split("\n"), strict=True):
        start, interval, end = line.partition("[nan, nan]")
        assert (
            (expected.startswith(start) and expected.endswith(end))
            if interval
            else (line == expected)
        )
    found = {
        "results.csv": sheets.result_sheet(results),
        "summary.csv": sheets.summary_sheet(report.rows),
        "wins.csv": sheets.win_sheet(ranking),
        "pairs.csv": sheets.pair_sheet(ranking),
    }
    for name, sheet in found.items():
        if (folder / name).exists() or sheet.rows:
            write_table(tmp_path / name, sheet.header, sheet.rows)
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b `c` *d* <e>", r"a\|b \`c\` \*d\* \<e>"),
        ("snake_case [x]", "snake_case [x]"),
        ("_old_ ~~gone~~", r"\_old\_ \~\~gone\~\~"),
        ("![x](http://y)", r"![x]\(http://y)"),
        ("R&D &lt;", r"R&D \&lt;"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert _escaped(name) == shown
