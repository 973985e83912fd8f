from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from imbsynth.runtime import initialised, seeded, stream


def test_a_stream_depends_on_its_name_and_seed_alone() -> None:
    again = stream(7, "smote", "cat").random(5)
    assert np.array_equal(stream(7, "smote", "cat").random(5), again)
    for other in (stream(8, "smote", "cat"), stream(7, "smote", "dog"), stream(7, "smotecat")):
        assert not np.array_equal(other.random(5), again)


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


def test_seeding_for_the_cpu_touches_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", touched.append)
    initialised(lambda: nn.Linear(3, 3), 5)
    with seeded(torch.device("cpu"), 5, "dropout"):
        first = torch.rand(3)
    with seeded(torch.device("cpu"), 5, "dropout"):
        assert torch.equal(torch.rand(3), first)
    assert touched == []
