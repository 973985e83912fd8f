from __future__ import annotations

import math

import pytest

from imbsynth.configs import ExperimentConfig
from imbsynth.engine.experiments.expected_time import Cost, Speed, measured
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.store.folders import scan
from tests.conftest import MakeFolder, contents
from tests.engine.experiments.written import protocol_for

METHODS = ("plain", "DeepSMOTE", "strong", "strong + DeepSMOTE")


@pytest.fixture
def workspace(make_folder: MakeFolder) -> Workspace:
    src = make_folder({"a": 40, "b": 10})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu", methods=METHODS)
    return Workspace(protocol_for(scan(src), config), src, config.out, "cpu")


def test_measuring_leaves_nothing_behind(workspace: Workspace) -> None:
    before = contents(workspace.root)
    speed = measured(workspace, ["plain", "strong + DeepSMOTE"])
    assert list(speed.costs) == ["plain", "strong + DeepSMOTE"]
    assert speed.ae_epoch > 0
    for cost in speed.costs.values():
        assert cost.image > 0
        assert min(cost) >= 0
    assert list(speed.seconds(workspace.protocol)) == list(speed.costs)
    assert not workspace.out.exists()
    assert contents(workspace.root) == before


def test_methods_that_share_an_autoencoder_pay_for_it_once(workspace: Workspace) -> None:
    cost = Cost(fixed=2.0, epoch=0.5, image=0.001)
    train = 2 + 10 * (0.5 + 500 * 0.001)
    found = Speed(dict.fromkeys(METHODS, cost), 0.1, 2 / 3).seconds(workspace.protocol)
    assert found == pytest.approx(
        {"plain": train, "DeepSMOTE": train + 400 * 0.1, "strong": train, METHODS[-1]: train}
    )


def test_what_depends_on_the_training_part_grows_with_it(workspace: Workspace) -> None:
    cost = Cost(fixed=0.0, epoch=0.5, image=0.0)
    found = Speed({"plain": cost}, 0.0, 1 / 3).seconds(workspace.protocol)  # of three folds: 2 / 3
    assert math.isclose(found["plain"], 10 * 0.5 * 2)
