"""`compare`: which method is better, over evaluations or the trials of experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imbsynth.configs import CompareConfig
from imbsynth.core.metric_table import METRICS
from imbsynth.engine.comparison import sheets
from imbsynth.engine.comparison.image_by_image import image_by_image
from imbsynth.engine.comparison.ranking import Ranking, rank
from imbsynth.engine.comparison.results import read_results
from imbsynth.engine.comparison.robustness import panels
from imbsynth.engine.comparison.sentences import covered, exclusions
from imbsynth.engine.comparison.stored import EVALUATED, Result
from imbsynth.engine.comparison.summaries import ScoreTable, Summary, summarise, tabulate
from imbsynth.engine.events import OnEvent, silent
from imbsynth.figures.robustness import OVER_SEEDS, RobustnessPanel, write_robustness
from imbsynth.figures.spreads import write_spreads
from imbsynth.store.outputs import check_apart, new_folder
from imbsynth.store.records import ROBUSTNESS, SPREADS, provenance, write_record, write_table

LIBRARIES = ("numpy", "scipy")  # that the numbers depend on
TABLES = "tables.md"


@dataclass(frozen=True)
class Report:
    """The comparison as data."""

    metric: str
    rope: float
    rows: list[Summary]  # one per problem and method, as `summarise` has them
    # What the rest is over: problems, of, seeds, excluded; in sentences: words, left_out (a list).
    compared: dict[str, Any]
    wins: dict[str, dict[str, int]]  # {method: {other: problems on which it is better}}
    ranks: dict[str, float]  # {method: mean rank over the problems}
    friedman: float | None  # p that all methods rank equally; None with fewer than 3 x 3 results
    pairs: list[dict[str, Any]]  # first, second, difference, p by Shaffer, three probabilities
    out: str | None
    pictures: list[str]  # in `out`
    image_by_image: dict[str, Any]  # which single evaluation is best: see the function


def run(
    config: CompareConfig,
    *,
    on_event: OnEvent = silent,
    as_text: Callable[[Report], str] | None = None,
) -> Report:
    """Read every result below a folder, summarise and test it, and write that to `config.out`.

    as_text: turns the report into the text of tables.md, as `imbsynth.cli.markdown.markdown` does;
    None writes the other files only.
    """
    if config.out is not None:
        check_apart(config.src, config.out)
    results = read_results(config.src)
    ranking = rank(results, config.metric, config.rope, config.seed)
    curves = panels(results, config.metric)
    report = _report(config, results, ranking, [SPREADS, *([ROBUSTNESS] if curves else [])])
    if config.out is not None:
        with new_folder(config.out, command="compare", force=config.force) as part:
            if as_text is not None:
                (part / TABLES).write_text(as_text(report), encoding="utf-8")
            _write_sheets(part, results, ranking, report)
            _draw(part, config.metric, results, curves)
            record = provenance("compare", config, inputs={}, libraries=LIBRARIES)
            write_record(part, record)
    return report


def _report(
    config: CompareConfig, results: list[Result], ranking: Ranking, pictures: list[str]
) -> Report:
    common = ranking.common
    compared = {
        "problems": len(common.seeds),
        "of": common.of,
        "seeds": common.seeds,
        "excluded": [excluded._asdict() for excluded in common.excluded],
    }
    return Report(
        metric=config.metric,
        rope=config.rope,
        rows=summarise(results, config.rope),
        compared={**compared, "words": covered(compared), "left_out": exclusions(compared)},
        wins=ranking.wins,
        ranks=ranking.ranks,
        friedman=ranking.friedman,
        pairs=ranking.pairs,
        out=None if config.out is None else config.out.as_posix(),
        pictures=[] if config.out is None else pictures,
        image_by_image=image_by_image(results, config.rope),
    )


def _write_sheets(folder: Path, results: list[Result], ranking: Ranking, report: Report) -> None:
    found = {
        "results.csv": sheets.result_sheet(results),
        "summary.csv": sheets.summary_sheet(report.rows),
        "wins.csv": sheets.win_sheet(ranking),
    }
    if ranking.pairs:
        found["pairs.csv"] = sheets.pair_sheet(ranking)
    if report.image_by_image["groups"]:
        found["image_by_image.csv"] = sheets.lead_sheet(report.image_by_image["groups"])
    for name, sheet in found.items():
        write_table(folder / name, sheet.header, sheet.rows)


def _draw(folder: Path, metric: str, results: list[Result], curves: list[RobustnessPanel]) -> None:
    title, table = METRICS[metric].title, tabulate(results, metric)
    reach, what = np.stack([table.spread, table.spread]), OVER_SEEDS
    if table.seeds.max() == 1 and metric in EVALUATED:
        reach, what = _intervals(results, table, metric), "95 % interval, over the images"
    write_spreads(
        folder / SPREADS, table.mean, reach, table.problems, table.methods, f"{title}, {what}"
    )
    if curves:
        write_robustness(folder / ROBUSTNESS, curves, title)


def _intervals(results: list[Result], table: ScoreTable, metric: str) -> NDArray[np.float64]:
    """(2, n, k): how far the intervals of single results reach to the left and to the right."""
    reach = np.zeros((2, *table.mean.shape))
    for result in results:
        row, column = table.problems.index(result.problem), table.methods.index(result.method)
        low, high = result.intervals[metric]
        score = result.scores[metric]
        reach[:, row, column] = max(score - low, 0), max(high - score, 0)
    return reach
