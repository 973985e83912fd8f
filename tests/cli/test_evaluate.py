from __future__ import annotations

from typing import Any

import pytest

from imbsynth.cli.evaluate import COMMAND
from imbsynth.engine.evaluate import Report

SCORES = ("acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro", "ece", "brier")


@pytest.mark.parametrize("wrong", [0, 1])
def test_without_mistakes_the_missing_picture_is_explained(
    wrong: int, capsys: pytest.CaptureFixture[str]
) -> None:
    of_class = dict.fromkeys(("precision", "recall", "specificity", "f1", "support"), 1.0)
    scores: dict[str, Any] = dict.fromkeys(SCORES, 0.5)
    report = Report(
        images=4,
        **scores,
        intervals=dict.fromkeys(SCORES, (0.4, 0.6)),
        per_class={name: {**of_class, "support": 2, "trained": 2} for name in "ab"},
        confusion=[[2 - wrong, wrong], [0, 2]],
        tau=0,
        temperature=1,
        thresholds={},
        checkpoint="clf",
        pretrained=None,
        out="scores",
    )  # fmt: skip
    COMMAND.summary(report)
    out = capsys.readouterr().out
    assert "look at scores/confusion.png" in out
    assert ("no mistakes.png" in out) == (wrong == 0)
