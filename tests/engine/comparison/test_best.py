from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imbsynth.engine.comparison.best import FilePredictions, best_of, read_predictions, same_images
from imbsynth.errors import UserError


def predictions(right: dict[str, list[bool]]) -> FilePredictions:
    return {
        f"{name}/{i}": (name, name if ok else "other")
        for name, own in right.items()
        for i, ok in enumerate(own)
    }


def test_a_large_lead_is_clear_and_none_is_not() -> None:
    good, bad = [True] * 95 + [False] * 5, [True] * 60 + [False] * 40
    found = {name: predictions({"a": own, "b": own}) for name, own in
             {"bad": bad, "good": good, "same": good}.items()}  # fmt: skip
    best = best_of(found, 0.01)
    assert best.name == "good"
    assert [(lead.other, lead.clear) for lead in best.leads] == [("same", False), ("bad", True)]
    assert best.leads[1].difference.value == pytest.approx(0.35)
    assert best.leads[0].difference.value == 0


def test_each_class_counts_equally() -> None:
    first = predictions({"many": [True] * 90 + [False] * 10, "few": [False] * 4})
    second = predictions({"many": [True] * 60 + [False] * 40, "few": [True] * 4})
    best = best_of({"first": first, "second": second}, 0.01)
    assert best.name == "second"
    assert best.leads[0].difference.value == pytest.approx((0.6 + 1) / 2 - 0.9 / 2)


def test_the_best_of_equal_classifiers_is_seldom_called_clearly_better() -> None:
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(200):
        found = {
            str(k): predictions({name: (rng.random(60) < 0.8).tolist() for name in "ab"})
            for k in range(4)
        }
        alarms += any(lead.clear for lead in best_of(found, 0.01).leads)
    assert alarms <= 10  # 5 %


def test_predictions_are_those_of_the_same_files_and_classes(tmp_path: Path) -> None:
    first = predictions({"a": [True, False]})
    assert same_images(first, predictions({"a": [False, False]}))
    assert not same_images(first, predictions({"a": [True]}))
    assert not same_images(first, {"a/0": ("b", "b"), "a/1": ("a", "a")})


@pytest.mark.parametrize("text", ["", "file,true\n", "file,true,predicted\na\n", '"', "\0"])
def test_a_damaged_file_is_a_user_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(UserError, match=r"predictions\.csv"):
        read_predictions(tmp_path)
