"""One file of an experiment's trial or of an evaluation, taken apart into results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.core import profiles
from imbsynth.core.metric_table import COMPARED
from imbsynth.core.metrics import rarest_recall
from imbsynth.errors import UserError
from imbsynth.store import fields
from imbsynth.store.fields import Wrong
from imbsynth.store.names import printable
from imbsynth.store.outputs import RECORD
from imbsynth.store.records import read_json
from imbsynth.store.trials import read_trial

PRETRAINED = "pretrained"  # after the name of a problem that such networks have for themselves
# What `evaluate` writes; the others are computed here, from the training counts.
EVALUATED = tuple(name for name, m in COMPARED.items() if m.needs != "training counts")


class Result(NamedTuple):
    """One classifier on one test set."""

    # Data set, imbalance, test set, PRETRAINED. Of what is in no experiment: the test set, where
    # there are several, PRETRAINED.
    problem: str
    method: str
    seed: int
    scores: dict[str, float]  # by COMPARED
    intervals: dict[str, tuple[float, float]]  # 95 %, over the test images; by EVALUATED
    # Data set and test set: the problem but for its imbalance; "" for what is in no experiment.
    source: str = ""
    rho: float | None = None  # of the imbalanced copy that was trained on; None if not known
    mu: float | None = None
    overlap: int = 0  # test images that flatter the scores: see `evaluate`'s metrics
    pretrained: bool = False  # whether the network has learned from other images before
    folder: Path | None = None  # of a single evaluation


class StoredTrial(NamedTuple):
    """What the file of a trial holds."""

    imbalanced_copy: tuple[str, str, int]  # data set, imbalance, seed: what identifies the copy
    counts: dict[str, int]  # images by class of that copy
    results: list[Result]  # one per test set


def load_trial(path: Path) -> StoredTrial:
    """The results of a trial; UserError unless `experiment` wrote the file."""
    found = read_trial(path)
    try:
        return _trial(found)
    except Wrong as error:
        raise _foreign(path, "experiment", error) from None


class Tested(NamedTuple):
    """The test images of an evaluation."""

    folder: str  # its name
    digest: str  # of its paths and contents


def tested_on(metrics: Path) -> Tested | None:
    """By the record beside the metrics; None where there is none that says it."""
    try:
        record = read_json(metrics.parent / RECORD)
        digest = fields.text(fields.mapping(record, "inputs"), "src")
        return Tested(fields.text(fields.mapping(record, "config"), "src"), digest)
    except (UserError, Wrong):
        return None


def load_evaluation(path: Path, method: str) -> Result:
    """The result of an evaluation; UserError unless `evaluate` wrote the file.

    It does not know an imbalanced copy: the numbers of training images stand for it.
    """
    found = read_json(path)
    try:
        per_class = fields.mapping(found, "per_class")
        counts = {
            name: fields.whole(fields.mapping(per_class, name), "trained", 0) for name in per_class
        }
        result = _result("", method, 0, found, counts)._replace(folder=path.parent)
    except Wrong as error:
        raise _foreign(path, "evaluate", error) from None
    if min(counts.values()) == 0:  # trained on reconstructions of the originals alone
        return result
    return result._replace(rho=profiles.rho(counts), mu=profiles.mu(counts))


def _trial(found: Mapping[str, Any]) -> StoredTrial:
    trial, tests = fields.mapping(found, "trial"), fields.mapping(found, "tests")
    data, imbalance = fields.text(trial, "data"), fields.text(trial, "imbalance")
    method, seed = fields.text(trial, "method"), fields.whole(trial, "seed", 0)
    counts = fields.counts(fields.mapping(found, "imbalanced_copy"), "counts", 1)
    if not counts:
        raise Wrong("counts has no class")
    results = []
    for name in tests:
        tested = f", {name}" if len(tests) > 1 else ""
        problem = f"{data}, {imbalance}{tested}"
        result = _result(problem, method, seed, fields.mapping(tests, name), counts)
        source = named(f"{data}{tested}", result.pretrained)
        rho, mu = profiles.rho(counts), profiles.mu(counts)
        results.append(result._replace(source=source, rho=rho, mu=mu))
    return StoredTrial((data, imbalance, seed), counts, results)


def _result(
    problem: str, method: str, seed: int, found: Mapping[str, Any], counts: dict[str, int]
) -> Result:
    scores = {name: fields.finite(found, name, -1, 1) for name in EVALUATED}
    scores["rarest_recall"] = rarest_recall(_recalls(found, counts), counts)
    given = fields.mapping(found, "intervals")
    intervals = {}
    for name in EVALUATED:
        ends = fields.sequence(given, name, 2)
        intervals[name] = fields.finite(ends, 0, -1, 1), fields.finite(ends, 1, -1, 1)
    overlap = fields.counts(found, "overlap") if "overlap" in found else {}  # not in version 0.1
    pretrained = found.get("pretrained") is not None  # the digest of weights; not in version 0.1
    return Result(
        named(problem, pretrained),
        method,
        seed,
        scores,
        intervals,
        overlap=sum(overlap.values()),
        pretrained=pretrained,
    )


def named(problem: str, pretrained: bool) -> str:
    """The problem; its name tells pretrained networks apart, which have seen other images too."""
    return ", ".join(filter(None, (problem, PRETRAINED if pretrained else "")))


def _recalls(found: Mapping[str, Any], counts: dict[str, int]) -> dict[str, float]:
    """{class: recall} of the tested classes, every one of which was trained on."""
    per_class = fields.mapping(found, "per_class")
    if not per_class:
        raise Wrong("per_class has no class")
    strange = per_class.keys() - counts.keys()
    if strange:
        raise Wrong(f"class {printable(min(strange))} is not among the training images")
    return {
        name: fields.finite(fields.mapping(per_class, name), "recall", 0, 1) for name in per_class
    }


def _foreign(path: Path, command: str, error: Wrong) -> UserError:
    return UserError(
        f"{printable(str(path))}: not written by `imbsynth {command}` ({error})",
        "make it again, or remove it",
    )
