from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import distributed

from imbsynth.errors import UserError
from imbsynth.runtime import (
    Launched,
    World,
    check_alone,
    devices,
    first_to_say,
    joined,
    launch,
    launched,
    resolve_device,
    worker_count,
)
from tests.together import place_of

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
    ("name", "value"),
    [("WORLD_SIZE", "1"), ("MASTER_ADDR", ""), ("RANK", "x"), ("MASTER_PORT", "x")],
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


def test_an_error_is_said_by_the_first_process_that_meets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = distributed.TCPStore(  # type: ignore[attr-defined]
        "127.0.0.1", 0, is_master=True, wait_for_workers=False
    )

    def says(rank: int, text: str, *, lost: bool = False) -> bool:
        for name, value in place_of(rank, 3, store.port).items():
            monkeypatch.setenv(name, value)
        return first_to_say(text, lost=lost)

    monkeypatch.setattr(launch, "_PATIENCE", timedelta(seconds=1))
    assert says(1, "no image")
    assert not says(0, "no image")
    assert says(0, "no device")
    assert not says(2, "another process has ended", lost=True)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert says(2, "another process has ended", lost=True)
    assert not says(1, "another process has ended, too", lost=True)
    assert says(0, "no image")


def test_an_error_is_said_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_to_say("no image", lost=False)
    for name, value in place_of(1, 2, port=1).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(launch, "_PATIENCE", timedelta(milliseconds=1))
    assert first_to_say("no image", lost=False)
    assert first_to_say("another process has ended", lost=True)
