"""The part of a report on trained networks: how training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imbsynth.engine.reporting.below import SUFFIX, Below
from imbsynth.engine.reporting.parts import Part, percent
from imbsynth.engine.reporting.pictures import is_own, picture
from imbsynth.pages.blocks import Block, Cell, Section, Table, Text
from imbsynth.store.fields import finite, sequence, text, whole
from imbsynth.store.records import read_lines

Log = Sequence[Mapping[str, Any]]  # a line per epoch
CLASSIFIER, AUTOENCODER = "aos-train", "train-ae"  # kinds of checkpoints


def training_part(below: Below) -> Part | None:
    """The checkpoints below a folder; None if there are none."""
    classifiers = {p: h for p, h in below.checkpoints.items() if h["kind"] == CLASSIFIER}
    autoencoders = {p: h for p, h in below.checkpoints.items() if h["kind"] == AUTOENCODER}
    if not classifiers and not autoencoders:
        return None
    blocks: list[Block] = []
    if classifiers:
        rows = [row for p, h in classifiers.items() if (row := _classifier(below, p, h))]
        header = ["classifier", "network", "training images", "epochs", "kept", "macro F1", "ACSA"]
        caption = "Classifiers, with scores of the kept epoch on the validation images, in percent"
        blocks.append(Table(caption, header, rows, words=[1]))
    for path in classifiers:
        blocks += _curves(below, path)
    if autoencoders:
        rows = [_autoencoder(below, path) for path in autoencoders]
        header = ["autoencoder", "epochs", "reconstruction loss"]
        blocks.append(Table("Autoencoders, with the loss of the last epoch", header, rows))
        blocks.append(Text("Synthetic images are as sharp as the reconstructions."))
    for path in autoencoders:
        caption = f"Originals and reconstructions of {path}"
        alt = f"Real images of each class beside what the autoencoder {path} makes of them."
        blocks += picture(below, _beside(path, ".png"), alt, caption)
    if below.evaluations or below.experiments:
        return Part(Section("Training", blocks))
    best = _sentence(below, classifiers)
    return Part(Section("Training", [*([Text(best)] if best else []), *blocks]), best)


def _beside(path: str, suffix: str) -> str:
    return path.removesuffix(SUFFIX) + suffix


def _log(below: Below, path: str) -> Log:
    """The lines of a run's log; none if it is missing or damaged."""
    log = _beside(path, ".jsonl")
    if not is_own(below.root, log):
        return []
    return below.attempt(log, lambda: read_lines(below.root / log)) or []


def _kept(log: Log, header: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The line of the epoch whose weights were kept; Wrong if the header names none."""
    epoch = whole(header, "best_epoch", 1)
    return log[epoch - 1] if epoch <= len(log) else None


def _classifier(below: Below, path: str, header: Mapping[str, Any]) -> list[Cell] | None:
    log = _log(below, path)

    def row() -> list[Cell]:
        counts = sequence(header, "counts")
        images = sum(whole(sequence(counts, i, 2), 1, 0) for i in range(len(counts)))
        line = _kept(log, header)
        names = ("f1_macro", "acsa")
        scores = [""] * 2 if line is None else [percent(finite(line, n, 0, 1)) for n in names]
        epochs = [str(len(log) or ""), str(whole(header, "best_epoch", 1))]
        return [path, text(header, "model"), str(images), *epochs, *scores]

    return below.attempt(path, row)


def _autoencoder(below: Below, path: str) -> list[Cell]:
    log = _log(below, path)
    if not log:
        return [path, "", ""]
    loss = below.attempt(path, lambda: f"{finite(log[-1], 'recon_loss', 0):.5f}")
    return [path, str(len(log)), loss or ""]


def _curves(below: Below, path: str) -> list[Block]:
    """The picture of a training, with its first and last numbers in words."""
    log = _log(below, path)

    def told() -> str:
        first, last = (finite(line, "val_loss", 0) for line in (log[0], log[-1]))
        return f" Over {len(log)} epochs the validation loss goes from {first:.3f} to {last:.3f}."

    words = (below.attempt(path, told) or "") if log else ""
    alt = f"Loss, scores and recalls of {path} by epoch.{words}"
    return list(picture(below, _beside(path, ".png"), alt, f"Training of {path}, by epoch"))


def _sentence(below: Below, classifiers: Mapping[str, Mapping[str, Any]]) -> str:
    """The best score on validation images, where there is no better evidence."""
    scores = {}
    for path, header in classifiers.items():
        log = _log(below, path)
        line = below.attempt(path, lambda log=log, header=header: _kept(log, header))  # type: ignore[misc]
        if line is not None and isinstance(line.get("acsa"), float):
            scores[path] = line["acsa"]
    if not scores:
        return ""
    best = max(scores, key=scores.__getitem__)
    return (
        f"{best} finds {percent(scores[best])} % of the validation images of a class, on average "
        "over the classes. These images chose its epoch, so test images would tell more: "
        "imbsynth evaluate scores them."
    )
