from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.configs import AosTrainConfig
from imbsynth.configs.contenders import CONTENDERS, USUAL, base_of, with_bases
from imbsynth.configs.experiment_values import METHODS
from imbsynth.core.tables import LOSSES


@pytest.mark.parametrize(
    ("method", "base"),
    [
        ("plain", None),
        ("AOS", "plain"),
        ("plain + affine", "plain"),
        ("AOS + affine", "plain + affine"),
        ("strong", "plain"),
        ("strong + AOS", "strong"),
        ("strong + features", "strong"),
        ("copies + affine + features", "copies + affine"),
        ("ROS + affine", "plain + affine"),  # of an older version
    ],
)
def test_what_a_method_is_compared_with(method: str, base: str | None) -> None:
    assert base_of(method) == base


def test_a_method_comes_with_what_it_is_compared_with() -> None:
    assert with_bases(["strong + AOS", "copies + affine", "strong"]) == [
        "plain", "strong", "strong + AOS", "plain + affine", "copies + affine"
    ]  # fmt: skip
    assert with_bases(CONTENDERS) == list(CONTENDERS)
    assert with_bases(USUAL) == list(USUAL)


@pytest.mark.parametrize("method", CONTENDERS)
def test_no_method_balances_the_classes_twice(method: str) -> None:
    config = AosTrainConfig(src=Path("in"), out=Path("c.safetensors"), **CONTENDERS[method].train)
    assert not (LOSSES[config.loss].balances and config.oversample != "none")


def test_an_unknown_method_is_shown_as_it_was_written() -> None:
    with pytest.raises(ValueError, match="none of the names"):
        METHODS.parse("plain, copys")
    assert METHODS.parse("plain, copies") == ("plain", "copies")
