"""Everything that is chosen by name, without importing it: the one list of the methods.

A method is one function and one entry here. The command line's choices, its help, docs/commands.md
and the error messages are made from the entries; only `Entry.load` imports the function, so that
reading a table costs nothing. A name such as "none" that runs no function stands with the option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Literal


@dataclass(frozen=True)
class Entry:
    """A method: its name, where its function is, and what a person needs to know to choose it."""

    name: str
    function: str  # "package.module:name"
    help: str  # a few words, which follow the name in the help of an option
    source: str = ""  # who described it, as "Chawla et al., 2002"
    options: tuple[str, ...] = ()  # the fields of a config that the function is given by keyword
    reads_progress: bool = False  # its result depends on how much of the training is done

    def load(self) -> Any:
        """The function itself; only now is its module imported."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module), name)

    def with_options(self, config: object) -> Any:
        """The function with its options taken from the fields of a config."""
        given = {name: getattr(config, name) for name in self.options}
        return partial(self.load(), **given) if given else self.load()


Table = Mapping[str, Entry]


def table(*entries: Entry) -> Table:
    """The entries by name, in the order in which they are offered."""
    return {entry.name: entry for entry in entries}


def choices(found: Table) -> dict[str, str]:
    """{name: a few words of help}."""
    return {name: entry.help for name, entry in found.items()}


SAMPLERS = table(
    Entry(
        "smote",
        "imbsynth.core.samplers:smote",
        "between nearest neighbors of a class",
        "Chawla et al., 2002",
        ("k_neighbors", "lambda_range"),
    ),
    Entry(
        "transfer",
        "imbsynth.core.transfer:transfer",
        "an image, changed as two images of a larger class differ",
        options=("strength", "donors", "donor_pairs"),
    ),
    Entry("ros", "imbsynth.core.samplers:ros", "random copies"),
)

LOSSES = table(
    Entry(
        "cross-entropy",
        "imbsynth.core.losses:cross_entropy",
        "every image has the same weight",
    ),
    Entry(
        "balanced-softmax",
        "imbsynth.core.losses:balanced_softmax",
        "logits are raised by log(class size) in training; meant for images that are not "
        "oversampled",
        "Ren et al., 2020",
    ),
    Entry(
        "focal",
        "imbsynth.core.losses:focal",
        "images that are classified well have less weight",
        "Lin et al., 2017",
    ),
)

ATTACKS = table(
    Entry(
        "fgsm",
        "imbsynth.core.attacks:fgsm",
        "one step along the sign of the gradient",
        "Goodfellow et al., 2015",
        ("epsilon",),
    ),
    Entry(
        "pgd",
        "imbsynth.core.attacks:pgd",
        "several such steps from a random start",
        "Madry et al., 2018",
        ("epsilon", "attack_steps", "attack_step_size"),
    ),
    Entry(
        "l2",
        "imbsynth.core.attacks:l2",
        "one step along the gradient itself, by epsilon in root mean square over the pixels",
        "Miyato et al., 2017",
        ("epsilon",),
    ),
)

OPTIMISERS = table(
    Entry(
        "adam",
        "imbsynth.core.optimisers:adam",
        "adaptive moments",
        "Kingma and Ba, 2015",
        ("lr", "weight_decay"),
    ),
    Entry(
        "adamw",
        "imbsynth.core.optimisers:adamw",
        "with decoupled weight decay",
        "Loshchilov and Hutter, 2019",
        ("lr", "weight_decay"),
    ),
    Entry(
        "sgd",
        "imbsynth.core.optimisers:sgd",
        "with Nesterov momentum of 0.9; takes a larger learning rate, e.g. 0.05",
        "Sutskever et al., 2013",
        ("lr", "weight_decay"),
    ),
)

SCHEDULES = table(
    Entry(
        "cosine",
        "imbsynth.core.schedules:cosine",
        "falls along half a cosine to 0",
        "Loshchilov and Hutter, 2017",
        reads_progress=True,
    ),
    Entry("constant", "imbsynth.core.schedules:constant", "stays as it is"),
)

AUGMENTATIONS = table(
    Entry("affine", "imbsynth.core.augmentation:random_affine", "small rotation, scale and shift"),
    Entry(
        "flip-crop",
        "imbsynth.core.augmentation:random_flip_crop",
        "reflected left to right at random, then padded and cropped",
    ),
)

MIXINGS = table(
    Entry(
        "mixup",
        "imbsynth.core.mixing:random_mixup",
        "each image is blended with another, and so are their labels",
        "Zhang et al., 2018",
    ),
)


@dataclass(frozen=True)
class Metric(Entry):
    """A score of a classifier on a test set. The higher, the better: `compare` relies on it."""

    title: str = ""  # in tables and figures
    needs: Literal["confusion", "probabilities", "training counts"] = "confusion"


def _metrics(*metrics: Metric) -> Mapping[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS = _metrics(
    Metric(
        "acsa",
        "imbsynth.core.metrics:acsa",
        "average class-specific accuracy: the mean of the classes' recalls",
        title="ACSA",
    ),
    Metric(
        "gm",
        "imbsynth.core.metrics:gm",
        "square root of macro recall times macro specificity",
        "Dablain et al., 2022",
        title="GM",
    ),
    Metric(
        "g_mean",
        "imbsynth.core.metrics:g_mean",
        "geometric mean of the classes' recalls",
        title="G-mean",
    ),
    Metric(
        "f1_macro",
        "imbsynth.core.metrics:f1_macro",
        "the mean of the classes' F1",
        title="macro F1",
    ),
    Metric(
        "mcc",
        "imbsynth.core.metrics:mcc",
        "Matthews' correlation for many classes",
        "Gorodkin, 2004",
        title="MCC",
    ),
    Metric(
        "kappa",
        "imbsynth.core.metrics:kappa",
        "agreement beyond chance",
        "Cohen, 1960",
        title="kappa",
    ),
    Metric(
        "auroc_macro",
        "imbsynth.core.auroc:auroc_macro",
        "the mean of the areas under each class's ROC curve against all other classes",
        title="AUROC",
        needs="probabilities",
    ),
    Metric(
        "rarest_recall",
        "imbsynth.core.metrics:rarest_recall",
        "the mean recall of the classes with the fewest training images",
        title="rarest class",
        needs="training counts",
    ),
)
