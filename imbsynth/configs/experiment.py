"""The config of `experiment`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.contenders import CONTENDERS, USUAL, with_bases
from imbsynth.configs.experiment_values import METHODS, SHARD, TIME
from imbsynth.configs.grouping import Grouped
from imbsynth.configs.reading import Caching, Drafting, InMemory
from imbsynth.configs.shared import OnDevice, Sized, check_checkpoint_name, one_of_two
from imbsynth.errors import UserError, option
from imbsynth.options import Option

Budget = Literal["small", "medium", "large"]

# What decides a verdict on a folder, beside the folder.
ASKED = (
    *("budget", "time", "methods", "all_folds"),
    *("image_size", "fit", "draft", "groups", "group_pattern"),
)
ON_A_FOLDER = (*ASKED, "train_winner", "estimate")


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(Grouped, Sized, Drafting, Caching, InMemory, OnDevice):
    """Run a grid of data sets, imbalances, methods and seeds, or all methods on a folder.

    A trial makes an imbalanced copy of a data set, holds out validation images, makes what the
    method needs, trains and evaluates; its result is one JSON file in DIR/trials. The same command
    resumes what was interrupted; many of them at once share the work. `imbsynth compare DIR`
    makes the tables.

    On a folder of your own, methods are cross-validated, all with one training budget: plain
    training and random copies, each without and with augmentation, the recipe "strong", AOS and
    DeepSMOTE on top of it, and synthetic features on top of copies and of "strong". The command
    says beforehand about how long that takes, stops methods that are surely behind, and says at the
    end which methods helped.
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
            source="linked",
        ),
    ] = None
    budget: Annotated[
        Budget,
        Option(
            "On a folder of your own: how long each method is trained, and in how many "
            "cross-validation folds."
        ),
    ] = "small"
    time: Annotated[
        int | None,
        Option(
            "On a folder of your own: about how long it may take on this machine, instead of a "
            "budget. The speed is measured; methods, folds and images are chosen by it, and kept.",
            kind=TIME,
        ),
    ] = None
    methods: Annotated[
        tuple[str, ...] | None,
        Option(
            "On a folder of your own: the methods to compare. What a method is measured against "
            "is added: strong for strong + AOS, plain + affine for AOS + affine, else plain. All "
            f"names: {', '.join(CONTENDERS)}.",
            kind=METHODS,
            unset=", ".join(USUAL),
        ),
    ] = None
    all_folds: Annotated[
        bool,
        Option(
            "On a folder of your own: train every method in every fold, also those that are surely "
            "behind."
        ),
    ] = False
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
            "With a dry run on a folder of your own: time a short trial of each method, which "
            "takes a minute or more, and say about how long all trials will take."
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
        if self.on is None:
            self._check_protocol_alone()
        if self.estimate and not self.dry_run:
            raise UserError(
                f"{option('estimate')} goes with {on} and {option('dry_run')}",
                "give both, or leave it out: a run on a folder says how long it takes anyway",
            )
        if self.time is not None and self.budget != "small":
            raise one_of_two("time", "budget")
        if self.methods is not None and len(with_bases(self.methods)) < 2:
            raise UserError(
                f"{option('methods')} is {self.methods[0]} alone",
                f"give one more to compare it with, e.g. {option('methods')} {','.join(USUAL[:2])}",
            )
        if self.train_winner is not None:
            check_checkpoint_name(self.train_winner, "train_winner")

    def _check_protocol_alone(self) -> None:
        """Raise UserError for what goes with a folder."""
        unset = (None, False, "small", "squash")
        given = [name for name in ON_A_FOLDER if getattr(self, name) not in unset]
        if given:
            named = " and ".join(map(option, given))
            raise UserError(
                f"{named} {'goes' if len(given) == 1 else 'go'} with {option('on')}",
                f"put options in the protocol, and split folders by group beforehand; or give a "
                f"folder with {option('on')}",
            )
