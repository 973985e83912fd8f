"""What a table of methods consists of.

Only `Entry.load` imports a method, so that reading a table costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Literal, TypeVar


@dataclass(frozen=True)
class Entry:
    """A method: its name, where its function is, and what a person needs to know to choose it."""

    name: str
    function: str  # "package.module:name"
    help: str  # a few words, which follow the name in the help of an option
    source: str = ""  # who described it, as "Chawla et al., 2002"
    options: tuple[str, ...] = ()  # the fields of a config that the function is given by keyword
    reads_progress: bool = False  # its result depends on how much of the training is done
    copies: bool = False  # what it makes are copies of its parents
    all_classes: bool = False  # of a sampler: it looks at the points of every class
    joint: bool = False  # of a sampler: one call draws for all classes (core/samplers.py)
    offsets: bool = False  # of a sampler: its points are not the weighted sums of their parents
    balances: bool = False  # of a loss: it makes up for classes of different sizes
    censored: bool = False  # of an autoencoder's loss: outputs may go past black and white
    head: str = "linear"  # of a loss: how the network ends that it is for (models/heads.py)
    partners: str = (
        "batch"  # of a mixing: from the "batch", or all classes equally often: "classes"
    )

    def load(self) -> Any:
        """The function itself; only now is its module imported."""
        return _loaded(self.function)

    def with_options(self, config: object) -> Any:
        """The function with its options taken from the fields of a config."""
        given = {name: getattr(config, name) for name in self.options}
        return partial(self.load(), **given) if given else self.load()


AnEntry = TypeVar("AnEntry", bound=Entry)
Table = Mapping[str, Entry]


def table(*entries: AnEntry) -> Mapping[str, AnEntry]:
    """The entries by name, in the order in which they are offered."""
    return {entry.name: entry for entry in entries}


def choices(found: Table) -> dict[str, str]:
    """{name: a few words of help}."""
    return {name: entry.help for name, entry in found.items()}


@dataclass(frozen=True)
class Metric(Entry):
    """A score of a classifier on a test set."""

    title: str = ""  # in tables and figures
    better: Literal["higher", "lower"] = "higher"
    needs: Literal["confusion", "probabilities", "training counts"] = "confusion"


def _loaded(place: str) -> Any:
    """What "package.module:name" names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class GeneratorEntry(Entry):
    """A network that makes images of a class; where nothing else is said, an adversarial one.

    Its options are fields of the config of `train-generator`.
    """

    options: tuple[str, ...] = ("latent_dim", "pretrain_epochs")
    # The class of its training, "package.module:name".
    task: str = "imbsynth.engine.training.adversarial:AdversarialTask"
    sampling: tuple[str, ...] = ()  # fields of the config of `generate` that it is given by keyword

    def load_task(self) -> Any:
        """That class; only now is its module imported."""
        return _loaded(self.task)
