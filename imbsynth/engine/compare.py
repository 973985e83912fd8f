"""`compare`: which method is better, over evaluations or the cells of experiments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import CompareConfig
from imbsynth.engine.comparison import tables
from imbsynth.engine.comparison.contests import Contest, hold, in_words
from imbsynth.engine.comparison.results import METRIC_NAMES, Result, Table, read_results, tabulate
from imbsynth.engine.comparison.robustness import panels
from imbsynth.engine.events import OnEvent, silent
from imbsynth.figures.robustness import OVER_SEEDS, RobustnessPanel, write_robustness
from imbsynth.figures.spreads import write_spreads
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import ROBUSTNESS, SPREADS, provenance, write_record, write_table

LIBRARIES = ("baycomp", "numpy", "scipy")  # that the numbers depend on


@dataclass(frozen=True)
class Report:
    """What `compare` prints."""

    metric: str
    rope: float
    rows: list[dict[str, Any]]  # a problem and method, as `score_rows` has them
    compared: dict[str, Any]  # what the rest is over: words, problems, of, seeds, left_out
    wins: dict[str, dict[str, int]]  # {method: {other: problems on which it is better}}
    ranks: dict[str, float]  # {method: mean rank over the problems}
    friedman: float | None  # p that all methods rank alike; None with fewer than 3 x 3 results
    pairs: list[dict[str, Any]]  # first, second, p by Shaffer, and the three Bayesian chances
    out: str | None
    pictures: list[str]  # in `out`


def run(config: CompareConfig, *, on_event: OnEvent = silent) -> Report:
    """Read every result below a folder, tabulate and test it, and write that down if asked to."""
    if config.out is not None:
        check_apart(config.src, config.out)
    results = read_results(config.src)
    rows = tables.score_rows(results)
    contest = hold(results, config.metric, config.rope, config.seed)
    curves = panels(results, config.metric)
    pictures = [SPREADS, *([ROBUSTNESS] if curves else [])]
    if config.out is not None:
        with new_folder(config.out, force=config.force) as part:
            _write(part, config, results, rows, contest)
            _draw(part, config, results, curves)
            record = provenance("compare", config, inputs={}, libraries=LIBRARIES)
            write_record(part, record)
    return Report(
        metric=config.metric,
        rope=config.rope,
        rows=rows,
        compared=_compared(contest),
        wins=contest.wins,
        ranks=contest.ranks,
        friedman=contest.friedman,
        pairs=contest.pairs,
        out=None if config.out is None else config.out.as_posix(),
        pictures=[] if config.out is None else pictures,
    )


def _compared(contest: Contest) -> dict[str, Any]:
    common = contest.common
    return {
        "words": in_words(common),
        "problems": len(common.seeds),
        "of": common.of,
        "seeds": common.seeds,
        "left_out": common.left_out,
    }


def _write(
    folder: Path,
    config: CompareConfig,
    results: list[Result],
    rows: list[tables.Row],
    contest: Contest,
) -> None:
    """The tables, for people and for spreadsheets."""
    text = tables.markdown(rows, contest, config.metric, config.rope)
    (folder / "tables.md").write_text(text, encoding="utf-8")
    _write_lines(folder / "results.csv", tables.result_lines(results))
    _write_lines(folder / "summary.csv", tables.summary_lines(rows))
    _write_lines(folder / "wins.csv", tables.win_lines(contest))
    if contest.pairs:
        _write_lines(folder / "pairs.csv", tables.pair_lines(contest))


def _write_lines(path: Path, lines: Iterator[list[object]]) -> None:
    header = [str(title) for title in next(lines)]
    write_table(path, header, lines)


def _draw(
    folder: Path, config: CompareConfig, results: list[Result], curves: list[RobustnessPanel]
) -> None:
    title, table = tables.TITLES[config.metric], tabulate(results, config.metric)
    reach, words = np.stack([table.spread, table.spread]), OVER_SEEDS
    if table.seeds.max() == 1 and config.metric in METRIC_NAMES:
        reach, words = _intervals(results, table, config.metric), "95 % interval, over the images"
    write_spreads(
        folder / SPREADS, table.mean, reach, table.problems, table.methods, f"{title}, {words}"
    )
    if curves:
        write_robustness(folder / ROBUSTNESS, curves, title)


def _intervals(results: list[Result], table: Table, metric: str) -> NDArray[np.float64]:
    """(2, n, k): how far the intervals of single results reach to the left and to the right."""
    reach = np.zeros((2, *table.mean.shape))
    for result in results:
        place = table.problems.index(result.problem), table.methods.index(result.method)
        low, high = result.intervals[metric]
        score = result.scores[metric]
        reach[:, place[0], place[1]] = max(score - low, 0), max(high - score, 0)
    return reach
