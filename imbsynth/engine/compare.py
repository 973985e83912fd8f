"""`compare`: which method is better, over evaluations or the cells of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imbsynth.configs import CompareConfig
from imbsynth.core import significance
from imbsynth.engine.events import OnEvent, silent
from imbsynth.engine.studies.results import (
    METRIC_NAMES,
    RAREST,
    Result,
    Table,
    read_results,
    tabulate,
    wins,
)
from imbsynth.engine.studies.robustness import panels
from imbsynth.engine.studies.tables import TITLES, csv_rows, markdown
from imbsynth.store.figures import Panel, write_robustness, write_spreads
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import ROBUSTNESS, SPREADS, provenance, write_record, write_table

MANY = 3  # problems, and methods, from which on a test over problems says something


@dataclass(frozen=True)
class Report:
    """What `compare` prints."""

    metric: str
    rows: list[dict[str, Any]]  # a problem and method: mean, spread and seeds of each metric
    wins: dict[str, dict[str, int]]  # {method: {other: problems on which it is better}}
    friedman: float | None  # p that all methods rank alike; None with fewer than 3 x 3 results
    pairs: list[dict[str, Any]]  # first, second, p by Shaffer, and the three Bayesian chances
    out: str | None
    pictures: list[str]  # in `out`


def run(config: CompareConfig, *, on_event: OnEvent = silent) -> Report:
    """Read every result below a folder, tabulate and test it, and write that down if asked to."""
    if config.out is not None:
        check_apart(config.src, config.out)
    results = read_results(config.src)
    table = tabulate(results, config.metric)
    values = table.complete()
    curves = panels(results, config.metric)
    enough = len(values) >= MANY and len(table.methods) >= MANY
    report = Report(
        metric=config.metric,
        rows=_rows(results),
        wins=_wins(table),
        friedman=significance.friedman(values) if enough else None,
        pairs=_pairs(table, config) if enough else [],
        out=None if config.out is None else config.out.as_posix(),
        pictures=[] if config.out is None else [SPREADS, *([ROBUSTNESS] if curves else [])],
    )
    if config.out is not None:
        _write(config, config.out, results, report, curves)
    return report


def _rows(results: list[Result]) -> list[dict[str, Any]]:
    tables = {metric: tabulate(results, metric) for metric in (*METRIC_NAMES, RAREST)}
    shape = tables[RAREST]
    rows = []
    for i, problem in enumerate(shape.problems):
        for j, method in enumerate(shape.methods):
            if not shape.seeds[i, j]:
                continue
            row: dict[str, Any] = {"problem": problem, "method": method}
            row["seeds"] = int(shape.seeds[i, j])
            for metric, table in tables.items():
                row[metric] = float(table.mean[i, j])
                row[f"{metric}_spread"] = float(table.spread[i, j])
            if row["seeds"] == 1:
                row["intervals"] = next(
                    r.intervals for r in results if (r.problem, r.method) == (problem, method)
                )
            rows.append(row)
    return rows


def _wins(table: Table) -> dict[str, dict[str, int]]:
    counts = wins(table.complete())
    return {
        method: {
            other: int(counts[i, j]) for j, other in enumerate(table.methods) if other != method
        }
        for i, method in enumerate(table.methods)
    }


def _pairs(table: Table, config: CompareConfig) -> list[dict[str, Any]]:
    values = table.complete()
    pairs = []
    for pair in significance.shaffer(values):
        first, second = values[:, pair.first], values[:, pair.second]
        chances = significance.better(first, second, config.rope, config.seed)
        pairs.append(
            {
                "first": table.methods[pair.first],
                "second": table.methods[pair.second],
                "difference": float(np.mean(first - second)),
                "p": pair.adjusted,
                "first_better": chances[0],
                "alike": chances[1],
                "second_better": chances[2],
            }
        )
    return pairs


def _write(
    config: CompareConfig,
    out: Path,
    results: list[Result],
    report: Report,
    curves: list[Panel],
) -> None:
    with new_folder(out, force=config.force) as part:
        text = markdown(results, report.metric, report.wins, report.pairs)
        (part / "tables.md").write_text(text, encoding="utf-8")
        header, *rows = csv_rows(results)
        write_table(part / "results.csv", [str(title) for title in header], rows)
        table = tabulate(results, report.metric)
        write_spreads(
            part / SPREADS,
            table.mean,
            table.spread,
            table.problems,
            table.methods,
            TITLES[report.metric],
        )
        if curves:
            write_robustness(part / ROBUSTNESS, curves, TITLES[report.metric])
        record = provenance("compare", config, inputs={}, libraries=("baycomp", "numpy", "scipy"))
        write_record(part, record)
