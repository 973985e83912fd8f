from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from imbsynth import runtime
from imbsynth.errors import Interrupted, UserError
from imbsynth.runtime import (
    arithmetic,
    initialised,
    resolve_device,
    resolve_precision,
    stop_request,
    stream,
)


def test_a_stream_depends_on_its_name_and_seed_alone() -> None:
    again = stream(7, "smote", "cat").random(5)
    assert np.array_equal(stream(7, "smote", "cat").random(5), again)
    for other in (stream(8, "smote", "cat"), stream(7, "smote", "dog"), stream(7, "smotecat")):
        assert not np.array_equal(other.random(5), again)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("max 100000", 9), ("", 9)],
)
def test_a_container_has_the_cores_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    monkeypatch.setattr(runtime, "CGROUP_LIMIT", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(9)), raising=False)
    assert runtime.worker_count() == cores


def test_the_parts_of_a_name_do_not_run_together() -> None:
    assert stream(0, "a", "bc").random() != stream(0, "ab", "c").random()
    assert stream(0, 1).random() != stream(0, "1").random()


def test_a_class_name_of_any_bytes_names_a_stream() -> None:
    assert 0 <= stream(0, b"\xff\xfe".decode("utf-8", "surrogateescape")).random() < 1


def test_initialisation_is_seeded_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (initialised(lambda: nn.Linear(3, 3), 5) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_auto_is_the_cpu_where_there_is_no_cuda() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected


def test_a_named_device_is_never_replaced() -> None:
    with pytest.raises(UserError, match="--device cuda:99"):
        resolve_device("cuda:99")


def test_a_named_precision_is_kept() -> None:
    assert resolve_precision("bf16", torch.device("cpu")) == "bf16"
    assert resolve_precision("auto", torch.device("cpu")) in ("fp32", "bf16")


def test_arithmetic_restores_what_it_changes() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with arithmetic(torch.device("cpu"), "bf16"):
        assert torch.are_deterministic_algorithms_enabled()
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    assert torch.are_deterministic_algorithms_enabled() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_at_a_safe_point_after_saving(number: signal.Signals) -> None:
    saved = []
    before = signal.getsignal(number)
    with stop_request() as request:
        request.check(lambda: saved.append("too early"))
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as caught:
            request.check(lambda: saved.append("state"))
    assert saved == ["state"]
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before
