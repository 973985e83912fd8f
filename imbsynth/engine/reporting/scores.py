"""The part of a report on single evaluations: which classifier is best on the same images."""

from __future__ import annotations

import os
from collections.abc import Sequence

from imbsynth.configs import CompareConfig
from imbsynth.core.metric_table import METRICS
from imbsynth.core.paired import Difference
from imbsynth.engine.comparison.best import Best, read_predictions
from imbsynth.engine.comparison.evaluations import Evaluation, best_in, evaluation, grouped
from imbsynth.engine.comparison.sentences import best_classifier, warning, when_clear
from imbsynth.engine.comparison.stored import load_evaluation
from imbsynth.engine.comparison.wording import percent, points
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.classes import class_blocks
from imbsynth.engine.reporting.parts import Part, joined, named, spans
from imbsynth.pages.blocks import Block, Cell, Section, Table, Text
from imbsynth.store.records import METRICS as METRICS_FILE

BESIDE = ("rarest_recall", "g_mean", "f1_macro", "auroc_macro")  # ACSA, which comes first
EXPLANATION = (
    "In percent, with 95 % intervals over the test images. ACSA is the mean recall of the classes: "
    "each class counts equally, however few images it has. Behind the best: points of ACSA, image "
    f"by image. {when_clear(CompareConfig.rope)} imbsynth experiment measures that too."
)


def score_part(below: Below) -> Part | None:
    """The evaluations below a folder; None if there are none."""
    names = _names(below) if below.evaluations else {}
    read = {path: _read(below, path, name) for path, name in names.items()}
    found = {path: one for path, one in read.items() if one is not None}
    if not found:
        return None
    blocks: list[Block] = [Text(EXPLANATION)]
    groups = grouped(found.values())
    best = ""
    for group in sorted(groups, key=len, reverse=True):
        of_group = best_in(group, CompareConfig.rope)
        sentence = best_classifier(group, of_group)
        blocks += [Text(sentence), _table(group, of_group)]
        best = best or sentence
    if len(groups) > 1:
        blocks.append(Text("Tables are apart where classifiers were tested on different images."))
    warned = warning([{"overlap": one.result.overlap} for one in found.values()])
    blocks += [Text(warned)] if warned else []
    blocks += [
        Section(one.name, class_blocks(below, path, one.name)) for path, one in found.items()
    ]
    return Part(Section("Scores on test images", blocks), best)


def _names(below: Below) -> dict[str, str]:
    """What evaluations are called: their folders, without the ones that all of them are in."""
    folders = [named(below, path) for path in below.evaluations]
    shared = os.path.commonpath([os.path.dirname(folder) for folder in folders])
    names = [os.path.relpath(folder, shared or ".") for folder in folders]
    return dict(zip(below.evaluations, names, strict=True))


def _read(below: Below, folder: str, name: str) -> Evaluation | None:
    path, file = below.root / folder, joined(folder, METRICS_FILE)
    result = below.attempt(file, lambda: load_evaluation(path / METRICS_FILE, name))
    if result is None:
        return None
    return evaluation(path, result, below.attempt(file, lambda: read_predictions(path)))


def _table(group: Sequence[Evaluation], best: Best | None) -> Table:
    """A row per classifier."""
    leads = {} if best is None else {lead.other: lead for lead in best.leads}
    drawn = spans([(e.result.scores["acsa"], *e.result.intervals["acsa"]) for e in group])
    rows: list[list[Cell]] = []
    for one, span in zip(group, drawn, strict=True):
        lead = leads.get(one.name)
        behind = "" if lead is None else _behind(lead.difference, lead.clear)
        if best is not None and one.name == best.name:
            behind = "the best"
        others = [percent(one.result.scores[name]) for name in BESIDE]
        mark = " [overlap]" if one.result.overlap else ""
        rows.append([one.name + mark, span, behind, *others])
    header = ["classifier", METRICS["acsa"].title, "behind the best"]
    header += [METRICS[name].title for name in BESIDE]
    marked = [i for i, e in enumerate(group) if best is not None and e.name == best.name]
    return Table("Scores of the classifiers, in percent", header, rows, marked)


def _behind(lead: Difference, clear: bool) -> str:
    low, high = points(lead.low), points(lead.high)
    return f"{points(lead.value)} [{low}, {high}] {'clear' if clear else 'not clear'}"
