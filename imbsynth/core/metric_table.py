"""The scores of a classifier by name, without importing what computes them."""

from __future__ import annotations

from imbsynth.core.entries import Metric, table

METRICS = table(
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
    Metric(
        "ece",
        "imbsynth.core.calibration:ece",
        "expected calibration error: how far confidence is from accuracy",
        "Guo et al., 2017",
        title="ECE",
        needs="probabilities",
        better="lower",
    ),
    Metric(
        "brier",
        "imbsynth.core.calibration:brier",
        "the mean squared distance of the probabilities from the truth, in [0, 2]",
        "Brier, 1950",
        title="Brier score",
        needs="probabilities",
        better="lower",
    ),
)

# What `compare` ranks methods by; those of METRICS that say how well classes are told apart.
COMPARED = {name: metric for name, metric in METRICS.items() if metric.better == "higher"}
