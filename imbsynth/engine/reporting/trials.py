"""The part of a report on experiments over several problems: which method ranks first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from imbsynth.configs import CompareConfig
from imbsynth.core.metric_table import METRICS
from imbsynth.engine.comparison.ranking import CHANCES, Ranking, rank
from imbsynth.engine.comparison.sentences import covered, p_value, warning
from imbsynth.engine.comparison.stored import Result, load_trial
from imbsynth.engine.comparison.summaries import Summary, summarise
from imbsynth.engine.comparison.wording import listed, percent, points
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import Part, joined, named
from imbsynth.pages.blocks import Block, Cell, Section, Table, Text
from imbsynth.store.records import read_json
from imbsynth.store.trials import PROTOCOL, find_trial, trial_names

# As `compare` has them unless it is told otherwise.
METRIC, ROPE, SEED = CompareConfig.metric, CompareConfig.rope, CompareConfig.seed
COLUMNS = ("acsa", "g_mean", "f1_macro", "auroc_macro", "rarest_recall")
PAIRS_SHOWN = 10
EXPLANATION = (
    "In percent: the mean and the standard deviation over the seeds, or, of one seed, the 95 % "
    "interval over the test images. A star marks the best mean of each column, and those that are "
    "at most one point below it."
)


def trials_part(below: Below, home: str) -> Part | None:
    """What one experiment says; None if no trial of it can be read."""
    results = _results(below, home)
    if not results:
        return None
    rows = summarise(results, ROPE)
    ranking = rank(results, METRIC, ROPE, SEED)
    about = below.attempt(joined(home, PROTOCOL), lambda: read_json(below.root / home / PROTOCOL))
    words = " ".join(str((about or {}).get("about", "")).split())
    blocks: list[Block] = [Text(words)] if words else []
    best = _sentence(ranking) or _on_one(rows)
    blocks += [Text(best)] if best else []
    for problem in dict.fromkeys(row["problem"] for row in rows):
        blocks.append(_table(problem, [row for row in rows if row["problem"] == problem]))
    blocks.append(Text(EXPLANATION))
    blocks += [Text(warning(rows))] if warning(rows) else []
    blocks += _tests(ranking)
    return Part(Section(f"Experiment: {named(below, home)}", blocks), best)


def _results(below: Below, home: str) -> list[Result]:
    """Of every trial that is done and whole."""
    place = below.root / home
    names = below.attempt(joined(home, PROTOCOL), lambda: trial_names(read_json(place / PROTOCOL)))
    found: list[Result] = []
    for name in names or []:
        path = find_trial(place, name)
        trial = None if path is None else below.attempt(name, partial(load_trial, path))
        found += [] if trial is None else trial.results
    left = len(names or []) - len({(r.problem, r.method, r.seed) for r in found})
    if names and left > 0:
        below.problems.append(f"{named(below, home)}: {left} of {len(names)} trials have no result")
    return found


def _sentence(ranking: Ranking) -> str:
    """Which method ranks first, over what, and whether the methods differ."""
    common = ranking.common
    if not ranking.ranks or len(common.seeds) < 2:
        return ""
    best = min(ranking.ranks, key=ranking.ranks.__getitem__)
    words = covered({"seeds": common.seeds, "of": common.of})
    said = f"{best} ranks first by ACSA {words} (mean rank {ranking.ranks[best]:.2f})."
    if ranking.friedman is None:
        return f"{said} There are too few problems or methods for a test."
    sure = "differ" if ranking.friedman < 0.05 else "do not certainly differ"
    return f"{said} Over these problems the methods {sure} (Friedman, {p_value(ranking.friedman)})."


def _on_one(rows: Sequence[Summary]) -> str:
    """The best method on the first problem, where methods are not compared over several."""
    problem = rows[0]["problem"]
    own = [row for row in rows if row["problem"] == problem]
    best = max(own, key=lambda row: row[METRIC])
    near = [row["method"] for row in own if METRIC in row["best"] and row is not best]
    seeds = f"{best['seeds']} seeds" if best["seeds"] > 1 else "one seed"
    said = (
        f"On {problem}, {best['method']} does best: it finds {percent(best[METRIC])} % of the "
        f"images of a class, on average over the classes ({seeds})."
    )
    return f"{said} At most one point below it: {listed(near)}." if near else said


def _table(problem: str, rows: Sequence[Summary]) -> Table:
    lines: list[list[Cell]] = []
    for row in rows:
        lines.append([row["method"], str(row["seeds"]), *(_score(row, name) for name in COLUMNS)])
    header = ["method", "seeds", *(METRICS[name].title for name in COLUMNS)]
    marked = [i for i, row in enumerate(rows) if METRIC in row["best"]]
    return Table(f"{problem}: scores in percent", header, lines, marked)


def _score(row: Summary, name: str) -> str:
    text = percent(row[name]) + ("*" if name in row["best"] else "")
    if row["seeds"] > 1:
        return f"{text} ± {percent(row[f'{name}_spread'])}"
    if name not in row["intervals"]:
        return text
    low, high = row["intervals"][name]
    return f"{text} [{percent(low)}, {percent(high)}]"


def _tests(ranking: Ranking) -> list[Block]:
    """Pairs of methods over all problems, if there are enough."""
    if not ranking.pairs:
        return []
    lines: list[list[Cell]] = [
        [
            f"{pair['first']} - {pair['second']}",
            points(pair["difference"]),
            f"{pair['p']:.3f}",
            *(f"{pair[chance]:.2f}" for chance in CHANCES),
        ]
        for pair in ranking.pairs[:PAIRS_SHOWN]
    ]
    header = ["pair", "difference", "p (Shaffer)", "first better", "alike", "second better"]
    more = len(ranking.pairs) - PAIRS_SHOWN
    words = (
        f"Pairs of methods over all problems{f', the {PAIRS_SHOWN} clearest' if more > 0 else ''}"
    )
    return [Table(f"{words}: points of ACSA, and probabilities", header, lines)]
