from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any

import pytest

from imbsynth.configs import AosTrainConfig, GenerateConfig, TrainAeConfig
from imbsynth.engine.experiments.protocol_files import parse_protocol
from imbsynth.engine.experiments.recipes import Recipes
from imbsynth.errors import UserError
from tests.conftest import MakeFolder

SECTIONS = {
    "train": AosTrainConfig,
    "generate": GenerateConfig,
    "train-ae": TrainAeConfig,
}
ODD: list[Any] = [None, True, 3, -1, 0.5, float("nan"), "F", "", [], [1], {}, {"a": 1}, [[1]]]


def protocol(**changes: Any) -> dict[str, Any]:
    data = {"bars": {"train": "train", "test": "train"}}
    return {"data": data, "methods": {"only": {}}, "seeds": [1], **changes}


@pytest.mark.parametrize("section", SECTIONS)
def test_no_value_of_an_option_gets_past_the_check(make_folder: MakeFolder, section: str) -> None:
    root = make_folder({"a": 2, "b": 2}, name="train").parent
    accepted = 0
    for field, value in product(fields(SECTIONS[section]), ODD):
        try:
            found = parse_protocol(
                protocol(methods={"only": {section: {field.name.replace("_", "-"): value}}})
            )
        except (ValueError, UserError):
            continue
        recipes = Recipes(found, root, {})
        assert [recipes.of(trial) for trial in found.trials()]
        accepted += 1
    assert accepted


def test_the_path_of_a_file_is_no_option_of_a_protocol() -> None:
    with pytest.raises(UserError, match="'per-class' is no option of generate"):
        parse_protocol(protocol(methods={"only": {"generate": {"per-class": "F"}}}))


def test_a_protocol_names_weights_by_auto_alone() -> None:
    frozen = {"model": "mobilenet_v2", "pretrained": "auto", "freeze": True}
    found = parse_protocol(protocol(train=frozen)).methods["only"].train
    assert found["pretrained"] == "auto"
    with pytest.raises((ValueError, UserError), match="only auto is the same everywhere"):
        parse_protocol(protocol(train={**frozen, "pretrained": "weights.pth"}))


def test_what_a_trial_fills_in_is_no_option_of_a_protocol() -> None:
    with pytest.raises(UserError, match="'val-fraction' is no option of aos-train"):
        parse_protocol(protocol(train={"val-fraction": 0.3}))


def test_options_in_common_are_checked_with_those_of_the_method() -> None:
    own: dict[str, Any] = {"only": {"generate": {"share": 0.5}}}
    with pytest.raises(UserError, match="methods only generate: share and to are both given"):
        parse_protocol(protocol(generate={"to": 30}, methods=own))
    own = {"only": {"per-imbalance": {"as is": {"min-change": 0.1}}}}
    with pytest.raises(UserError, match="methods only per-imbalance as is: "):
        parse_protocol(protocol(methods=own))


def test_options_in_common_need_not_be_whole() -> None:
    both: dict[str, Any] = {"only": {"train-ae": {}, "generate": {}}, "plain": {}}
    found = parse_protocol(protocol(generate={"decode": "residual"}, methods=both))
    assert found.methods["only"].generate == {"decode": "residual"}
    assert found.methods["plain"].generate is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seeds": [2**63]}, "give each once, from 0 to 9223372036854775807"),
        ({"methods": {"x": {"train-generator": "gamo"}}}, "train-generator is not a list of op"),
        ({"methods": {"x": {"train-generator": None}}}, "train-generator names no kind"),
    ],
)
def test_what_no_trial_could_be_made_of_is_refused_at_once(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_protocol({**protocol(), **changes})
