"""The part of a report on trained networks: how training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from imbsynth.engine.comparison.wording import percent
from imbsynth.engine.reporting.below import Below, Headers
from imbsynth.engine.reporting.generators import generator_blocks
from imbsynth.engine.reporting.parts import Part, beside
from imbsynth.engine.reporting.pictures import is_own, picture
from imbsynth.pages.blocks import Block, Cell, Section, Table, Text
from imbsynth.store.checkpoint_headers import CHOSEN_HEAD, kept_scores
from imbsynth.store.fields import finite, mapping, sequence, text, whole
from imbsynth.store.records import read_lines

Log = Sequence[Mapping[str, Any]]  # a line per epoch
CLASSIFIER, AUTOENCODER = "aos-train", "train-ae"  # kinds of checkpoints


def training_part(below: Below) -> Part | None:
    """The checkpoints below a folder; None if there are none."""
    classifiers = below.checkpoints_of(CLASSIFIER)
    blocks = [*_classifiers(below, classifiers), *_autoencoders(below)]
    blocks += generator_blocks(below)
    if not blocks:
        return None
    if below.evaluations or below.experiments:
        return Part(Section("Training", blocks))
    best = _sentence(below, classifiers)
    return Part(Section("Training", [*([Text(best)] if best else []), *blocks]), best)


def _classifiers(below: Below, found: Headers) -> list[Block]:
    if not found:
        return []
    rows = [row for path, header in found.items() if (row := _classifier(below, path, header))]
    header = ["classifier", "network", "training images", "epochs", "kept", "macro F1", "ACSA"]
    caption = "Classifiers, with their scores on the validation images, in percent"
    table = Table(caption, header, rows, words=[1])
    return [table, *(block for path in found for block in _curves(below, path, found[path]))]


def _autoencoders(below: Below) -> list[Block]:
    found = below.checkpoints_of(AUTOENCODER)
    if not found:
        return []
    rows = [_autoencoder(below, path) for path in found]
    header = ["autoencoder", "epochs", "reconstruction loss"]
    blocks: list[Block] = [
        Table("Autoencoders, with the loss of the last epoch", header, rows),
        Text(
            "Synthetic images are as sharp as the originals that they are made of; with plain "
            "decoding, as blurred as the reconstructions."
        ),
    ]
    for path in found:
        caption = f"Originals and reconstructions of {path}"
        alt = f"Real images of each class beside what the autoencoder {path} makes of them."
        blocks += picture(below, beside(path, ".png"), alt, caption)
    return blocks


def _log(below: Below, path: str) -> Log:
    """The lines of a run's log; none if it is missing or damaged."""
    log = beside(path, ".jsonl")
    if not is_own(below.root, log):
        return []
    return below.attempt(log, lambda: read_lines(below.root / log)) or []


def _scores(log: Log, path: str, header: Mapping[str, Any]) -> dict[str, float]:
    """Macro F1 and ACSA on the validation images; none without a log. UserError if damaged."""
    epoch = whole(header, "best_epoch", 1)
    if epoch > len(log):
        return {}
    return kept_scores(Path(path), header, log[epoch - 1], ("f1_macro", "acsa"))


def _classifier(below: Below, path: str, header: Mapping[str, Any]) -> list[Cell] | None:
    log = _log(below, path)

    def row() -> list[Cell]:
        counts = sequence(header, "counts")
        images = sum(whole(sequence(counts, i, 2), 1, 0) for i in range(len(counts)))
        scores = [percent(value) for value in _scores(log, path, header).values()] or [""] * 2
        epochs = [str(len(log) or ""), str(whole(header, "best_epoch", 1))]
        return [path, text(header, "model"), str(images), *epochs, *scores]

    return below.attempt(path, row)


def _autoencoder(below: Below, path: str) -> list[Cell]:
    log = _log(below, path)
    if not log:
        return [path, "", ""]
    loss = below.attempt(path, lambda: f"{finite(log[-1], 'recon_loss', 0):.5f}")
    return [path, str(len(log)), loss or ""]


def _curves(below: Below, path: str, header: Mapping[str, Any]) -> list[Block]:
    """The picture of a training, with its first and last numbers in words."""
    log = _log(below, path)

    def told() -> str:
        first, last = (finite(line, "val_loss", 0) for line in (log[0], log[-1]))
        return f" Over {len(log)} epochs the validation loss goes from {first:.3f} to {last:.3f}."

    words = (below.attempt(path, told) or "") if log else ""
    alt = f"Loss, scores and recalls of {path} by epoch.{words}"
    caption = f"Training of {path}, by epoch"
    if CHOSEN_HEAD in header:
        chosen = below.attempt(path, lambda: text(mapping(header, CHOSEN_HEAD), "name"))
        caption += f"; the head chosen after it: {chosen}" if chosen else ""
    return list(picture(below, beside(path, ".png"), alt, caption))


def _sentence(below: Below, classifiers: Headers) -> str:
    """The best score on validation images, where there is no better evidence."""
    scores: dict[str, float] = {}
    for path, header in classifiers.items():
        log = _log(below, path)
        found = below.attempt(path, partial(_scores, log, path, header))
        scores |= {path: found["acsa"]} if found else {}
    if not scores:
        return ""
    best = max(scores, key=scores.__getitem__)
    return (
        f"{best} finds {percent(scores[best])} % of the validation images of a class, on average "
        "over the classes. These images chose its epoch, so test images would tell more: "
        "imbsynth evaluate scores them."
    )
