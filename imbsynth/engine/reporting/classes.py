"""What one evaluation says of each class, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imbsynth.engine.comparison.wording import percent
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import joined, share
from imbsynth.engine.reporting.pictures import picture
from imbsynth.pages.blocks import Block, Cell, Picture, Table, Text
from imbsynth.store.fields import finite, mapping, sequence, whole
from imbsynth.store.records import (
    CONFUSION,
    METRICS,
    MISTAKES,
    PRECISION_RECALL,
    RELIABILITY,
    SALIENCY,
    read_json,
)

CONFUSED = 3  # pairs of classes that a sentence names


def class_blocks(below: Below, folder: str, name: str) -> list[Block]:
    """A table with a row per class, what is confused most, and the pictures of an evaluation."""
    where = joined(folder, METRICS)
    found = read_json(below.root / where)
    blocks: list[Block] = []
    table = below.attempt(where, lambda: _table(found, name))
    blocks += [] if table is None else [table]
    confused = below.attempt(where, lambda: _confused(found)) or ""
    blocks += [Text(confused)] if confused else []
    return [*blocks, *_pictures(below, folder, name, confused)]


def _table(found: Mapping[str, Any], name: str) -> Table:
    """Wrong if a number is missing or none."""
    per_class = mapping(found, "per_class")
    rows: list[list[Cell]] = []
    by_size = sorted(per_class, key=lambda c: -whole(mapping(per_class, c), "trained", 0))
    for label in by_size:
        one = mapping(per_class, label)
        numbers = [str(whole(one, key, 0)) for key in ("trained", "support")]
        precision, recall, f1 = (finite(one, key, 0, 1) for key in ("precision", "recall", "f1"))
        rows.append([label, *numbers, percent(precision), share(recall), percent(f1)])
    header = ["class", "trained on", "tested on", "precision", "recall", "F1"]
    return Table(f"{name} by class: numbers of images, and scores in percent", header, rows)


def _confused(found: Mapping[str, Any]) -> str:
    """The commonest mistakes; "" if there are none."""
    names = sorted(mapping(found, "per_class"))
    rows = sequence(found, "confusion", len(names))
    mistakes = []
    for i, name in enumerate(names):
        row = sequence(rows, i, len(names))
        counts = [whole(row, k, 0) for k in range(len(names))]
        mistakes += [
            (count, sum(counts), name, names[k])
            for k, count in enumerate(counts)
            if count and k != i
        ]
    worst = sorted(mistakes, key=lambda mistake: -mistake[0])[:CONFUSED]
    shown = [f"{name} for {other} ({count} of {of})" for count, of, name, other in worst]
    return f"Most often mistaken: {', '.join(shown)}." if shown else "No mistakes."


def _pictures(below: Below, folder: str, name: str, confused: str) -> list[Picture]:
    shown = {
        CONFUSION: (
            f"Confusion matrix of {name}, true classes in rows and predicted ones in columns. "
            f"{confused}",
            "Confusion matrix: which class is taken for which",
        ),
        PRECISION_RECALL: (
            f"Precision over recall for each class of {name}; the points used are in the table.",
            "Precision over recall, by class",
        ),
        RELIABILITY: (
            f"How often {name} is right, over how sure it is.",
            "Reliability: how often predictions are right, by how sure the classifier is",
        ),
        MISTAKES: (
            f"Images that {name} is most wrong about, a row per true class.",
            "The worst mistakes: what each image is taken for, and with which probability",
        ),
        SALIENCY: (
            f"Images that {name} is most wrong about, each with two maps of what speaks for the "
            "class predicted and for the true one.",
            "Which parts of the worst mistakes speak for the class predicted, and which for the "
            "true one (Grad-CAM): the lighter, the more",
        ),
    }
    return [
        one
        for file, (alt, caption) in shown.items()
        for one in picture(below, joined(folder, file), alt, caption)
    ]
