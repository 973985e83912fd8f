"""The config of `experiment`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.grouping import Grouped
from imbsynth.configs.shared import Caching, OnDevice, Sized, check_checkpoint_name
from imbsynth.configs.values import SHARD
from imbsynth.errors import UserError, option
from imbsynth.options import Option

Budget = Literal["small", "medium", "large"]


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(Grouped, Sized, Caching, OnDevice):
    """Run a grid of data sets, imbalances, methods and seeds, or all methods on a folder.

    A trial makes an imbalanced copy of a data set, holds out validation images, makes what the
    method needs, trains and evaluates; its result is one JSON file in DIR/trials. The same command
    resumes what was interrupted; many of them at once share the work. `imbsynth compare DIR`
    makes the tables.

    On a folder of your own, plain training, random oversampling, pixel SMOTE, AOS and DeepSMOTE
    are cross-validated, without and with augmentation, all with one training budget. The command
    says beforehand about how long that takes, and at the end which methods helped.
    """

    out: Annotated[
        Path,
        Option("Folder for the results; an experiment that is there is resumed.", metavar="DIR"),
    ]
    protocol: Annotated[
        Path | None,
        Option("YAML file: what is compared with what.", metavar="FILE.yaml", argument=True),
    ] = None
    data: Annotated[
        Path | None, Option("Folder above the data sets of the protocol.", metavar="ROOT")
    ] = None
    on: Annotated[
        Path | None,
        Option(
            "A folder of your own, instead of a protocol: which method helps on it?",
            metavar="DIR",
        ),
    ] = None
    budget: Annotated[
        Budget,
        Option(
            "On a folder of your own: how long each method is trained, and in how many "
            "cross-validation folds."
        ),
    ] = "small"
    shard: Annotated[
        tuple[int, int],
        Option("Do the I-th of N shares of the grid, as one job of an array.", kind=SHARD),
    ] = (1, 1)
    train_winner: Annotated[
        Path | None,
        Option(
            "On a folder of your own: train the method with the highest ACSA on the whole folder, "
            "and write this checkpoint.",
            metavar="CLF.safetensors",
        ),
    ] = None
    dry_run: Annotated[bool, Option("List the trials and where each stands; run none.")] = False
    estimate: Annotated[
        bool,
        Option(
            "With a dry run on a folder of your own: time an epoch of each network, which takes a "
            "minute or more, and say about how long all trials will take."
        ),
    ] = False

    def check_together(self) -> None:
        """A protocol with its data, or a folder with its budget."""
        super().check_together()
        on, data = option("on"), option("data")
        if (self.protocol is None) == (self.on is None):
            raise UserError(
                f"neither a protocol nor {on} is given"
                if self.on is None
                else f"a protocol and {on} are both given",
                f"give a protocol with {data}, or a folder with {on}",
            )
        if (self.protocol is None) != (self.data is None):
            raise UserError(f"{data} goes with a protocol, which needs {data}", "give both")
        if self.estimate and (self.on is None or not self.dry_run):
            raise UserError(
                f"{option('estimate')} goes with {on} and {option('dry_run')}",
                "give both, or leave it out: a run on a folder says how long it takes anyway",
            )
        if self.on is None and (self.budget != "small" or self.image_size is not None):
            raise UserError(
                f"{option('budget')} and {option('image_size')} go with {on}",
                "put options in the protocol",
            )
        if self.on is None and self.grouped:
            raise UserError(
                f"{option('groups')} and {option('group_pattern')} go with {on}",
                "for a protocol, split the folders by group beforehand",
            )
        if self.train_winner is not None:
            if self.on is None:
                raise UserError(
                    f"{option('train_winner')} goes with {on}",
                    f"give a folder with {on}, or leave it out",
                )
            check_checkpoint_name(self.train_winner, "train_winner")
