from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imbsynth.configs import Deciding
from imbsynth.engine.inference.decisions import Decisions, Fitted, read_fitted
from imbsynth.errors import UserError
from imbsynth.store.fields import Wrong

COUNTS = {"many": 30, "few": 10}
PLAIN = Fitted(0.5, 2.0, {})
LOGITS = np.array([[1.0, 0.5], [0.2, 0.1], [-1.0, 2.0]], np.float32)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@pytest.mark.parametrize(
    ("options", "tau", "temperature"),
    [
        ({}, 0.0, 1.0),
        ({"tau": 1.5}, 1.5, 1.0),
        ({"temperature": 3}, 0.0, 3.0),
        ({"tau": "auto"}, 0.5, 1.0),
        ({"tau": "auto", "temperature": "auto"}, 0.25, 2.0),  # the order of tau 0.5 and T 1
        ({"tau": -1.0, "temperature": "auto"}, -1.0, 2.0),
    ],
)
def test_probabilities_are_the_softmax_of_what_is_documented(
    options: dict[str, Any], tau: float, temperature: float
) -> None:
    decisions = Decisions(Deciding(**options), COUNTS, PLAIN)
    assert (decisions.tau, decisions.temperature) == (tau, temperature)
    expected = softmax(LOGITS / temperature - tau * np.log([0.75, 0.25]))
    np.testing.assert_allclose(decisions.probabilities(LOGITS), expected, rtol=1e-6)
    assert decisions.classes(LOGITS).tolist() == expected.argmax(1).tolist()


def test_tau_auto_decides_the_same_whatever_the_temperature() -> None:
    logits = np.random.default_rng(0).normal(size=(500, 2))
    alone = Decisions(Deciding(tau="auto"), COUNTS, PLAIN)
    both = Decisions(Deciding(tau="auto", temperature="auto"), COUNTS, PLAIN)
    assert (alone.classes(logits) == both.classes(logits)).all()
    assert (alone.classes(logits) != logits.argmax(1)).any()


def test_thresholds_are_compared_with_the_probabilities_without_temperature() -> None:
    fitted = PLAIN._replace(thresholds={"few": 0.4})
    expected = (softmax(LOGITS.astype(np.float64))[:, 1] >= 0.4).astype(int).tolist()
    assert expected == [0, 1, 1]
    for config in (Deciding(), Deciding(temperature=9.0)):
        assert Decisions(config, COUNTS, fitted).classes(LOGITS).tolist() == expected
    ignored = Decisions(Deciding(ignore_thresholds=True), COUNTS, fitted)
    assert ignored.classes(LOGITS).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("options", "counts", "fitted", "problem"),
    [
        ({"tau": "auto"}, COUNTS, None, "tau auto: .* no value for it .an older version"),
        ({"temperature": "auto"}, COUNTS, None, "temperature auto: .* no value"),
        ({"tau": "auto"}, COUNTS, PLAIN._replace(tau=None), "a class had no real images"),
        ({"tau": 1.0}, {"a": 3, "b": 0}, None, "class b has no real training images"),
        ({"tau": 1.0}, COUNTS, Fitted(0, 1, {"few": 0.1}), "thresholds for few, .* without tau"),
    ],
)
def test_what_cannot_be_applied_is_refused(
    options: dict[str, Any], counts: dict[str, int], fitted: Fitted | None, problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        Decisions(Deciding(**options), counts, fitted)


def test_what_was_fitted_is_read_as_it_was_written() -> None:
    for fitted in (PLAIN, Fitted(None, 0.3, {"many": 0.25, "few": 1.0})):
        header = json.loads(json.dumps(fitted.meta()))
        assert read_fitted(header, COUNTS) == fitted
    assert read_fitted({}, COUNTS) is None  # of an older version


@pytest.mark.parametrize(
    "wrong",
    [
        {"tau": "x"}, {"tau": 1e9}, {"temperature": 0}, {"temperature": None},
        {"thresholds": [["few", 0]]}, {"thresholds": [["nobody", 0.5]]},
        {"thresholds": [["few", 0.5], ["few", 0.5]]}, {"thresholds": 3},
    ],
)  # fmt: skip
def test_odd_values_in_a_header_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Wrong):
        read_fitted({"fitted": {"tau": 0.5, "temperature": 2.0, "thresholds": [], **wrong}}, COUNTS)
