from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st
from imblearn.metrics import geometric_mean_score, specificity_score
from numpy.typing import NDArray

from imbsynth.core import metrics

Labels = NDArray[np.int64]


@st.composite
def answers(draw: st.DrawFn) -> tuple[Labels, Labels, int]:
    """True and predicted labels, every class with an image."""
    classes = draw(st.integers(2, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rest = rng.integers(classes, size=draw(st.integers(0, 80)))
    labels = np.concatenate([np.arange(classes), rest])
    right = rng.random(len(labels)) < draw(st.floats(0, 1))
    return labels, np.where(right, labels, rng.integers(classes, size=len(labels))), classes


REFERENCES: dict[str, Callable[[Labels, Labels], float]] = {
    "acsa": reference.balanced_accuracy_score,
    "gm": lambda y, p: geometric_mean_score(y, p, average="macro", labels=np.unique(y)),
    "g_mean": lambda y, p: geometric_mean_score(y, p, labels=np.unique(y)),
    "f1_macro": lambda y, p: reference.f1_score(y, p, average="macro"),
    "mcc": reference.matthews_corrcoef,
    "kappa": reference.cohen_kappa_score,
}


@pytest.mark.parametrize("name", metrics.SCORES)
@given(answers=answers())
def test_scores_are_those_of_the_reference_libraries(
    name: str, answers: tuple[Labels, Labels, int]
) -> None:
    labels, predictions, classes = answers
    confusion = metrics.confusion_matrix(labels, predictions, classes)
    expected = REFERENCES[name](labels, predictions)
    assert float(metrics.SCORES[name](confusion)) == pytest.approx(expected, abs=1e-9)


@given(answers=answers())
def test_class_scores_are_those_of_the_reference_libraries(
    answers: tuple[Labels, Labels, int],
) -> None:
    labels, predictions, classes = answers
    confusion = metrics.confusion_matrix(labels, predictions, classes)
    assert np.array_equal(confusion, reference.confusion_matrix(labels, predictions))
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        labels, predictions, zero_division=0
    )
    np.testing.assert_allclose(metrics.precisions(confusion), precision)
    np.testing.assert_allclose(metrics.recalls(confusion), recall)
    np.testing.assert_allclose(metrics.f1s(confusion), f1)
    expected = specificity_score(labels, predictions, average=None)
    np.testing.assert_allclose(metrics.specificities(confusion), expected)


def test_where_imbalanced_learn_has_another_macro_g_mean() -> None:
    """It counts true negatives as images, whatever these weigh; with weights it is no share.

    Weighing an image twice and listing it twice are the same thing; ours, which takes the
    counts, says so, and imbalanced-learn's value exceeds 1.
    """
    labels, predictions = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    weights = np.array([3, 3, 3, 3])
    counts = 3 * metrics.confusion_matrix(labels, predictions, 3)
    plain = geometric_mean_score(labels, predictions, average="macro")
    weighted = geometric_mean_score(labels, predictions, average="macro", sample_weight=weights)
    assert float(metrics.gm(counts)) == pytest.approx(plain)
    assert weighted != pytest.approx(plain, abs=0.01)


def test_scores_by_hand() -> None:
    confusion = np.array([[8.0, 2.0], [1.0, 1.0]])
    assert float(metrics.acsa(confusion)) == pytest.approx((0.8 + 0.5) / 2)
    assert float(metrics.g_mean(confusion)) == pytest.approx((0.8 * 0.5) ** 0.5)
    # With two classes the specificity of one is the recall of the other.
    assert float(metrics.gm(confusion)) == pytest.approx(0.65)
    assert float(metrics.f1_macro(confusion)) == pytest.approx((16 / 19 + 2 / 5) / 2)


def test_a_class_that_is_never_found_makes_the_g_mean_zero() -> None:
    confusion = np.array([[5.0, 0.0], [3.0, 0.0]])
    assert float(metrics.g_mean(confusion)) == 0
    assert float(metrics.mcc(confusion)) == 0
    assert metrics.precisions(confusion).tolist() == [5 / 8, 0]


def test_the_g_mean_of_many_classes_does_not_underflow() -> None:
    confusion = np.eye(2000) + 999 * np.roll(np.eye(2000), 1, axis=1)
    assert float(metrics.g_mean(confusion)) == pytest.approx(0.001)


def test_many_matrices_are_scored_at_once() -> None:
    rng = np.random.default_rng(0)
    matrices = rng.integers(1, 9, (4, 5, 3, 3)).astype(float)
    for score in metrics.SCORES.values():
        together = score(matrices)
        assert together.shape == (4, 5)
        assert float(together[2, 3]) == pytest.approx(float(score(matrices[2, 3])))
