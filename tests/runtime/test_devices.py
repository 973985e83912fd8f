from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from imbsynth.errors import UserError
from imbsynth.runtime import arithmetic, devices, resolve_device, resolve_precision


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("max 100000", 9), ("", 9)],
)
def test_a_container_has_the_cores_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    monkeypatch.setattr(devices, "CGROUP_LIMIT", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(9)), raising=False)
    assert devices.worker_count() == cores


def test_auto_is_the_cpu_where_there_is_no_cuda() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected


def test_a_named_device_is_never_replaced() -> None:
    with pytest.raises(UserError, match="device cuda:99"):
        resolve_device("cuda:99")


def test_a_named_precision_is_kept() -> None:
    assert resolve_precision("bf16", torch.device("cpu")) == "bf16"
    assert resolve_precision("auto", torch.device("cpu")) in ("fp32", "bf16")


def test_arithmetic_sees_weights_that_change_within_its_block() -> None:
    """The cache of autocast does not: a head whose whole training was in one block diverged."""
    layer, one = nn.Linear(1, 1, bias=False), torch.ones(1, 1)
    with arithmetic(torch.device("cpu"), "bf16"):
        for value in (1.0, 2.0):
            with torch.no_grad():
                layer.weight.fill_(value)
            assert layer(one).item() == value


def test_arithmetic_restores_what_it_changes() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with arithmetic(torch.device("cpu"), "bf16"):
        assert torch.are_deterministic_algorithms_enabled()
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    assert torch.are_deterministic_algorithms_enabled() == before
