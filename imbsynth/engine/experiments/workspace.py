"""Where a protocol is carried out: which file holds what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from imbsynth.engine.experiments.protocol_options import Options
from imbsynth.engine.experiments.protocols import Protocol, Trial
from imbsynth.engine.experiments.recipes import Recipes, difference, modern, short_digest
from imbsynth.errors import UserError, option
from imbsynth.store.trials import WORK, find_trial, read_trial, trial_file


@dataclass(frozen=True)
class Workspace:
    """The folders of an experiment."""

    protocol: Protocol
    root: Path  # the data sets' folders are relative to it
    out: Path
    device: str
    grouping: Options = field(default_factory=dict)  # of split: which images belong together

    @cached_property
    def recipes(self) -> Recipes:
        """What the trials are made of."""
        return Recipes(self.protocol, self.root, self.grouping)

    def target(self, trial: Trial) -> Path:
        """The file to write the trial's result to."""
        return trial_file(self.out, trial.name)

    def result(self, trial: Trial) -> Path | None:
        """The file with the trial's result, which an older version may have written elsewhere."""
        return find_trial(self.out, trial.name)

    def is_done(self, trial: Trial) -> bool:
        """Whether the trial has a result."""
        return self.result(trial) is not None

    def check_results(self) -> None:
        """Raise UserError if a trial's file holds a result of other images or options."""
        for trial in self.protocol.trials():
            path = self.result(trial)
            if path is None:
                continue
            other = difference(modern(read_trial(path).get("recipe", {})), self.recipes.of(trial))
            if other:
                raise UserError(
                    f"{path} was made {other}",
                    f"choose another folder with {option('out')}, or remove the file to have it "
                    "made anew",
                )

    def shared(self, trial: Trial) -> Path:
        """The folder for what all trials on one imbalanced copy share."""
        name = f"{trial.seed}-{short_digest(self.recipes.of_copy(trial))}"
        return self.out / WORK / trial.data / trial.imbalance / name

    def folds(self, trial: Trial) -> Path:
        """The folder of the data set's cross-validation folds."""
        name = f"folds-{short_digest(self.recipes.of_folds(trial))}"
        return self.out / WORK / trial.data / name

    def classifier(self, trial: Trial) -> Path:
        """The checkpoint of the trial."""
        name = f"{trial.method}-{short_digest(self.recipes.of(trial))}.safetensors"
        return self.shared(trial) / "runs" / name

    def test_copy(self, trial: Trial, test: str) -> Path:
        """The folder of an imbalanced copy of the test set."""
        recipe = self.recipes.of(trial)
        digest = short_digest([recipe["test_images"], recipe["tests"][test]])
        return self.shared(trial) / f"test-{digest}"

    def autoencoder(self, trial: Trial) -> Path | None:
        """The checkpoint of train-ae, which methods with equal options share; None if none."""
        options = self.recipes.of(trial)["train_ae"]
        if options is None:
            return None
        return self.shared(trial) / f"ae-{short_digest(options)}.safetensors"

    def generator(self, trial: Trial) -> Path | None:
        """The checkpoint of train-generator, likewise."""
        options = self.recipes.of(trial).get("train_generator")
        if options is None:
            return None
        return self.shared(trial) / f"generator-{short_digest(options)}.safetensors"

    def generated(self, trial: Trial) -> Path:
        """The folder of `generate`, which methods with equal options share."""
        recipe = self.recipes.of(trial)
        made = [recipe["train_ae"], recipe["generate"]]
        made += [recipe["train_generator"]] if "train_generator" in recipe else []
        return self.shared(trial) / f"generated-{short_digest(made)}"
