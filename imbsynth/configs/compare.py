"""The config of `compare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from imbsynth.configs.shared import Replacing, Seeded
from imbsynth.kinds import PART
from imbsynth.options import Option

MetricName = Literal[
    "acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro", "rarest_recall"
]


@dataclass(frozen=True, kw_only=True)
class CompareConfig(Seeded, Replacing):
    """Put the scores of many evaluations into one table, and say which method is better.

    All experiments and evaluations below the folder are read. Single evaluations show the 95 %
    interval over their test images, which does not include how scores vary with the seed of the
    training. Experiments show means and standard deviations over their seeds, and, with three or
    more problems and methods, Friedman's test, Shaffer's for pairs, and the probability that one
    is better by the Bayesian signed-rank test. Wins and tests are over the problems on which every
    method has a result, with the seeds that all of them have; what is left out is listed.

    Single evaluations of the same test images are also compared image by image, by ACSA: a sentence
    says which classifier is best, and over which others its lead is clear.

    Where an experiment has several imbalance ratios (or values of mu), the output folder also has
    a picture of the score over them, robustness.png.
    """

    src: Annotated[
        Path,
        Option("Folder with outputs of evaluate, or of experiment.", metavar="DIR", argument=True),
    ]
    metric: Annotated[MetricName, Option("The score by which methods are compared.")] = "acsa"
    rope: Annotated[
        float,
        Option(
            "A difference of that score that does not matter.",
            range=PART,
            advice="give a small difference, e.g. 0.01",
        ),
    ] = 0.01
    out: Annotated[
        Path | None,
        Option(
            "Folder to make, with tables.md, the same as CSV files, and pictures.", metavar="DIR"
        ),
    ] = None
