"""The part of a report on `experiment --on`: which method helps on a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.command_lines import command_line
from imbsynth.configs import AosTrainConfig, GenerateConfig, TrainAeConfig
from imbsynth.configs.contenders import base_of, with_bases
from imbsynth.engine.comparison.wording import between, minus, percent, points
from imbsynth.engine.experiments.answers import read_answers, spared
from imbsynth.engine.experiments.conclusions import conclusions, explanation
from imbsynth.engine.experiments.folder_protocol import AS_IS, FOLDER, trial_on_folder
from imbsynth.engine.experiments.verdicts import Verdict, verdicts, winner, with_interval
from imbsynth.engine.reporting.below import Below
from imbsynth.engine.reporting.parts import Part, joined, named, spans
from imbsynth.engine.reporting.pictures import picture
from imbsynth.errors import UserError
from imbsynth.options import parsed
from imbsynth.pages.blocks import Block, Cell, CommandLines, Items, Section, Table, Text
from imbsynth.store.fields import Wrong, counts, mapping, sequence
from imbsynth.store.records import INTERVALS, RECALLS, RECONSTRUCTIONS, SAMPLES, read_json
from imbsynth.store.trials import PROTOCOL, find_trial, read_trial, trial_file, trial_names

FILLED_IN = ("src", "dst", "out", "ae")  # options of a method's commands that no protocol gives
CLASSES_SHOWN = 4  # in the table, the rarest; the picture has all
PICTURES = {
    RECALLS: "Recall of each class by method, rare classes first",
    INTERVALS: "ACSA of each method, with its 95 % interval",
    RECONSTRUCTIONS: "Originals and what DeepSMOTE's autoencoder makes of them",
    SAMPLES: "Real images and the synthetic images made of them",
}


class Folder(NamedTuple):
    """A folder that was cross-validated."""

    protocol: dict[str, Any]
    counts: dict[str, int]  # images by class
    found: list[Verdict]


def is_verdict(protocol: Mapping[str, Any]) -> bool:
    """Whether a protocol.json is of `experiment --on`."""
    return protocol.get("data") == {FOLDER: [".", None]} and protocol.get("imbalances") == {
        AS_IS: {}
    }


def verdict_part(below: Below, home: str) -> Part | None:
    """What one cross-validated folder says; None if its results cannot be read."""
    folder = below.attempt(joined(home, PROTOCOL), lambda: _read(below.root / home))
    if folder is None:
        return None
    best = next(v for v in folder.found if v.method == winner(folder.found))
    sentence = _sentence(best, folder.counts)
    blocks: list[Block] = [
        Text(sentence),
        Text(" ".join(explanation(folder.found).split())),
        _table(folder, best),
        Items(conclusions(folder.found, folder.counts)),
        *(below.attempt(home, lambda: _training(folder.protocol, best.method)) or []),
    ]
    for name, caption in PICTURES.items():
        blocks += picture(below, joined(home, name), f"{caption}.", caption)
    title = f"What helps on this folder: {named(below, home)}"
    return Part(Section(title, blocks), sentence)


def _read(home: Path) -> Folder:
    """UserError or Wrong if a trial is missing or damaged."""
    protocol = read_json(home / PROTOCOL)
    names = trial_names(protocol)
    methods, folds = _grid(names)
    missing = {name for name in names if find_trial(home, name) is None}
    stopping = protocol.get("stopping") is True
    first = {trial_on_folder(method, fold).name for method in methods[:1] for fold in folds}
    if stopping and missing and not missing & first:
        answers = read_answers(home, methods, folds, len(_sizes(home, methods[0], folds)))
        missing -= {trial.name for trial in spared(answers, folds)}
    if missing:
        raise UserError(
            f"{home}: {len(missing)} of {len(names)} trials are to do, so there is no verdict yet",
            "run the experiment again",
        )
    sizes = _sizes(home, methods[0], folds)
    return Folder(protocol, sizes, verdicts(home, methods, folds, sizes, stopping=stopping))


def _grid(names: list[str]) -> tuple[list[str], list[int]]:
    """The methods and the folds of these trials; Wrong unless every method is in every fold."""
    parts = [name.split("/") for name in names]
    methods = list(dict.fromkeys(part[2] for part in parts if len(part) == 4))
    folds = list(range(len(names) // max(len(methods), 1)))
    wanted = {trial_on_folder(method, fold).name for method in methods for fold in folds}
    if set(names) != wanted:
        raise Wrong("its trials are not those of every method in every fold")
    if min(len(methods), len(folds)) < 2 or not set(with_bases(methods)) <= set(methods):
        raise Wrong("a method, a fold or what a method is compared with is missing")
    return methods, folds


def _sizes(home: Path, method: str, folds: list[int]) -> dict[str, int]:
    """The images of each class: every one is tested in one fold."""
    total: dict[str, int] = {}
    for fold in folds:
        found = read_trial(trial_file(home, trial_on_folder(method, fold).name))
        names = sorted(counts(mapping(found, "imbalanced_copy"), "counts"))
        rows = sequence(mapping(mapping(found, "tests"), "test"), "answers", len(names))
        for i, name in enumerate(names):
            total[name] = total.get(name, 0) + len(sequence(rows, i))
    return total


def _sentence(best: Verdict, sizes: Mapping[str, int]) -> str:
    """The best method, how good it is, and whether it certainly helps."""
    score = (
        f"On this folder of {sum(sizes.values())} images, {best.method} does best: it finds "
        f"{percent(best.acsa)} % of the images of a class, on average over the classes (95 % "
        f"interval {between(*best.interval)}, by cross-validation)."
    )
    base = base_of(best.method)
    if best.gain is None or best.gain_interval is None or base is None:
        return f"{score} That is training without any balancing: no method here did better."
    low, high = best.gain_interval
    gain = f"{points(best.gain)} points, 95 % interval {points(low)} to {points(high)}"
    if best.words == "helps":
        return f"{score} That is clearly better than {base} ({gain})."
    return f"{score} Whether that is better than {base} is not clear ({gain})."


def _table(folder: Folder, best: Verdict) -> Table:
    rarest = list(best.recalls)[:CLASSES_SHOWN]
    drawn = spans([(one.acsa, *one.interval) for one in folder.found])
    rows: list[list[Cell]] = []
    for one, span in zip(folder.found, drawn, strict=True):
        gain = ""
        if one.gain is not None and one.gain_interval is not None:
            gain = minus(with_interval(one.gain, one.gain_interval, 1, "+"))
        recalls = [
            with_interval(one.recalls[name], one.recall_intervals[name], 0) for name in rarest
        ]
        rows.append([one.method, span, gain, one.outcome, *recalls])
    header = ["method", "ACSA", "gain", "verdict"]
    header += [f"recall of {name} ({folder.counts[name]})" for name in rarest]
    marked = [i for i, one in enumerate(folder.found) if one is best]
    return Table("Scores and verdict by method, in percent", header, rows, marked, words=[3])


def _training(protocol: Mapping[str, Any], method: str) -> list[Block]:
    """The commands that train the best method on the whole folder."""
    options = mapping(mapping(protocol, "methods"), method)
    photos, balanced = Path("photos"), Path("balanced")
    lines, src, latent = [], photos, None
    if options.get("ae") is not None:
        given = _given(TrainAeConfig, options, "ae")
        latent = Path("ae.safetensors")
        lines.append(command_line(TrainAeConfig(src=photos, out=latent, **given)))
    if options.get("generate") is not None:
        given = _given(GenerateConfig, options, "generate")
        lines.append(command_line(GenerateConfig(src=photos, dst=balanced, ae=latent, **given)))
        src = balanced
    given = _given(AosTrainConfig, options, "train")
    lines.append(command_line(AosTrainConfig(src=src, out=Path("winner.safetensors"), **given)))
    return [
        Text(f"To train {method} on all images, where photos is the folder:"),
        CommandLines(lines),
    ]


def _given(kind: type, options: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Options out of a protocol.json, where null is a default; UserError or Wrong if odd."""
    found = {key: value for key, value in mapping(options, name).items() if value is not None}
    if isinstance(found.get("image_size"), list):
        found["image_size"] = "x".join(map(str, found["image_size"]))
    return parsed(kind, found, without=FILLED_IN)
