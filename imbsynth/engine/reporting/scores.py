"""The part of a report on single evaluations: which classifier is best on the same images."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from imbsynth.core.metric_table import METRICS
from imbsynth.engine.comparison.best import (
    Best,
    FilePredictions,
    best_of,
    read_predictions,
    same_images,
)
from imbsynth.engine.comparison.sentences import warning
from imbsynth.engine.comparison.stored import Result, load_evaluation
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.classes import class_blocks
from imbsynth.engine.reporting.parts import (
    Part,
    between,
    joined,
    listed,
    named,
    percent,
    points,
    spans,
)
from imbsynth.pages.blocks import Block, Cell, Section, Table, Text
from imbsynth.store.records import METRICS as METRICS_FILE
from imbsynth.store.records import read_json

BESIDE = ("rarest_recall", "g_mean", "f1_macro", "auroc_macro")  # ACSA, which comes first
EXPLANATION = (
    "In percent, with 95 % intervals over the test images. ACSA is the mean recall of the classes: "
    "each class counts equally, however few images it has. Behind the best: points of ACSA, image "
    "by image, with intervals that hold for all pairs together. A difference is clear if its whole "
    "interval is above one point. Another training of the same method would score somewhat "
    "differently, which no interval here includes: imbsynth experiment measures that too."
)


class Evaluation(NamedTuple):
    """What one folder of `evaluate` holds."""

    name: str
    folder: str
    result: Result
    metrics: dict[str, Any]
    predictions: FilePredictions | None  # None: not known


def score_part(below: Below) -> Part | None:
    """The evaluations below a folder; None if there are none."""
    names = _names(below) if below.evaluations else {}
    found = [e for path in below.evaluations if (e := _read(below, path, names[path])) is not None]
    if not found:
        return None
    blocks: list[Block] = [Text(EXPLANATION)]
    groups = _groups(found)
    best = ""
    for group in sorted(groups, key=len, reverse=True):
        of_group = _best(group)
        sentence = _sentence(group, of_group)
        blocks += [Text(sentence), _table(group, of_group)]
        best = best or sentence
    if len(groups) > 1:
        blocks.append(Text("Tables are apart where classifiers were tested on different images."))
    warned = warning([{"overlap": e.result.overlap} for e in found])
    blocks += [Text(warned)] if warned else []
    blocks += [Section(e.name, class_blocks(below, e.folder, e.name, e.metrics)) for e in found]
    return Part(Section("Scores on test images", blocks), best)


def _names(below: Below) -> dict[str, str]:
    """What evaluations are called: their folders, without the ones that all of them are in."""
    folders = [named(below, path) for path in below.evaluations]
    shared = os.path.commonpath([os.path.dirname(folder) for folder in folders])
    names = [os.path.relpath(folder, shared or ".") for folder in folders]
    return dict(zip(below.evaluations, names, strict=True))


def _read(below: Below, folder: str, name: str) -> Evaluation | None:
    path = below.root / folder
    file = joined(folder, METRICS_FILE)
    result = below.attempt(file, lambda: load_evaluation(path / METRICS_FILE, name))
    if result is None:
        return None
    predictions = below.attempt(file, lambda: read_predictions(path))
    return Evaluation(name, folder, result, read_json(path / METRICS_FILE), predictions or None)


def _groups(found: list[Evaluation]) -> list[list[Evaluation]]:
    """Those of the same images together; one without its predictions is alone."""
    groups: list[list[Evaluation]] = []
    for one in found:
        for group in groups:
            first = group[0].predictions
            if (
                first is not None
                and one.predictions is not None
                and same_images(first, one.predictions)
            ):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _best(group: list[Evaluation]) -> Best | None:
    """Of those whose scores are scores on new images; None for fewer than two."""
    fair = {
        e.name: e.predictions for e in group if not e.result.overlap and e.predictions is not None
    }
    return best_of(fair) if len(fair) > 1 else None


def _sentence(group: list[Evaluation], best: Best | None) -> str:
    """What a reader wants to know first."""
    by_name = {one.name: one for one in group}
    one = group[0] if best is None else by_name[best.name]
    low, high = one.result.intervals["acsa"]
    score = (
        f"it finds {percent(one.result.scores['acsa'])} % of the images of a class, on average "
        f"over the classes (95 % interval {between(low, high)})"
    )
    images = one.metrics.get("images")
    tested = f" on {images} test images" if isinstance(images, int) else ""
    if best is None:
        return f"{one.name}{tested}: {score}."
    return f"Of {len(group)} classifiers, {one.name} did best{tested}: {score}. {_leads(best)}"


def _leads(best: Best) -> str:
    """Over whom the lead is clear, and over whom it is not."""
    clear = [lead.other for lead in best.leads if lead.clear]
    unclear = [lead for lead in best.leads if not lead.clear]
    if not unclear:
        return f"It is clearly better than {listed(clear)}."
    shown = [
        f"{lead.other} ({points(lead.difference.value)} points, interval "
        f"{points(lead.difference.low)} to {points(lead.difference.high)})"
        for lead in unclear
    ]
    said = f"Whether it is better than {listed(shown)} is not clear."
    return f"It is clearly better than {listed(clear)}. {said}" if clear else said


def _table(group: list[Evaluation], best: Best | None) -> Table:
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


def _behind(lead: Any, clear: bool) -> str:
    low, high = points(lead.low), points(lead.high)
    return f"{points(lead.value)} [{low}, {high}] {'clear' if clear else 'not clear'}"
