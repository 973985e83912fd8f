from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.runtime import World, current_world
from imbsynth.runtime.world import FEW

# What one process of two does: it says what it learns.
PROCESS = """
import sys, torch
from torch import distributed
from imbsynth.runtime import current_world

rank, store = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
world = current_world()
mine = torch.tensor([1.0, 10.0 * rank])
print(world.rank, world.size, world.is_writer, world.sum(mine).tolist(), mine.tolist(),
      world.agree(rank == 1), world.agree(False))
own = torch.arange(5)[world.share(5)]
print(own.tolist(), world.whole(own, 5).tolist(), world.told(lambda: f"from {rank}"))
distributed.destroy_process_group()
"""


# What one process of three does with values whose exact sum depends on no order: it says whether
# the sum is right, and whether the values are as they were.
SUMMED = """
import sys, torch
from torch import distributed
from imbsynth.runtime import current_world

rank, store, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=3)
world = current_world()
whole = torch.arange(2 * count).double().view(count, 2)
for values in whole, whole.T:  # the second is not contiguous
    mine = values * 10**rank
    print(world.sum(mine).equal(values * 111), mine.equal(values * 10**rank))
lain = whole * 10**rank  # with its rows or its columns side by side in memory, by the process
lain = lain.T.contiguous().T if rank == 1 else lain
parts = (torch.cat([whole, whole]) * 10**rank)[::2]  # with gaps between them
for mine in lain, parts:
    expected = mine / 10**rank * 111
    world.add_up(mine)
    print(mine.equal(expected))
distributed.destroy_process_group()
"""


def test_one_process_is_the_writer_and_agrees_with_itself() -> None:
    world = current_world()
    assert (world.rank, world.size, world.is_writer) == (0, 1, True)
    values = torch.tensor([1.0, 2.0])
    assert torch.equal(world.sum(values), values)
    assert world.agree(True)
    assert not world.agree(False)
    assert world.share(7) == slice(0, 7)
    assert world.whole(values, 2) is values
    assert world.told(lambda: 3) == 3


@given(size=st.integers(1, 9), count=st.integers(0, 40))
def test_the_shares_of_all_processes_are_all_rows_in_order(size: int, count: int) -> None:
    rows: list[int] = []
    for rank in range(size):
        world = World()
        world.rank, world.size = rank, size
        rows += range(count)[world.share(count)]
    assert rows == list(range(count))


def test_asking_for_the_world_does_not_import_torch() -> None:
    code = (
        "import sys; from imbsynth.runtime import current_world; current_world();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def said_by(processes: int, code: str, store: Path, *arguments: object) -> list[str]:
    """What each of the processes prints, which all have the same code."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, *map(str, (rank, store, *arguments))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    return [process.communicate(timeout=120)[0].strip() for process in started]


def test_two_processes_sum_agree_and_are_told(tmp_path: Path) -> None:
    assert said_by(2, PROCESS, tmp_path / "store") == [
        "0 2 True [2.0, 10.0] [1.0, 0.0] True False\n[0, 1] [0, 1, 2, 3, 4] from 0",
        "1 2 False [2.0, 10.0] [1.0, 10.0] True False\n[2, 3, 4] [0, 1, 2, 3, 4] from 0",
    ]


@pytest.mark.parametrize("count", [1, 7, FEW])
def test_three_processes_sum_few_values_as_they_sum_many(tmp_path: Path, count: int) -> None:
    assert said_by(3, SUMMED, tmp_path / "store", count) == ["True True\nTrue True\nTrue\nTrue"] * 3
