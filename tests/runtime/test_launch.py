from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from imbsynth.errors import UserError
from imbsynth.runtime import (
    Launched,
    World,
    check_alone,
    devices,
    joined,
    launched,
    resolve_device,
    worker_count,
)

PROCESS = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


@pytest.fixture
def one_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PROCESS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("one_of_eight")
def test_the_environment_says_which_process_this_is() -> None:
    assert launched() == Launched(5, 8, 1, 4)
    assert str(launched()) == "process 5 of 8"


@pytest.mark.usefixtures("one_of_eight")
@pytest.mark.parametrize(
    ("name", "value"), [("WORLD_SIZE", "1"), ("MASTER_ADDR", ""), ("RANK", "x")]
)
def test_a_process_is_alone_unless_all_is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert launched() is None
    check_alone("inspect")
    with joined(torch.device("cpu")) as world:
        assert type(world) is World


@pytest.mark.usefixtures("one_of_eight")
def test_a_command_of_one_process_says_so() -> None:
    with pytest.raises(UserError, match="inspect runs in one process, and 8 were started"):
        check_alone("inspect")


@pytest.mark.usefixtures("one_of_eight")
def test_each_process_has_a_share_of_the_cores_and_a_device_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(9)), raising=False)
    monkeypatch.setattr(devices, "CGROUP_LIMIT", Path("nowhere"))
    assert worker_count() == 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda", 1)
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="cuda:0 is one device, and there are 8 processes"):
        resolve_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="start one process per device"):
        resolve_device("auto")
