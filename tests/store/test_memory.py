from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.store import memory

GB = 10**9


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GB free, and no control groups yet."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")
    (tmp_path / "meminfo").write_text(
        f"MemTotal: 9 kB\nMemAvailable:  {8 * GB // 1024} kB\nBuffers: 1 kB\n"
    )
    return tmp_path


def write(folder: Path, **numbers: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in numbers.items():
        (folder / f"memory.{name}").write_text(f"{value}\n")


def test_the_machines_memory_counts_where_no_group_has_a_limit(system: Path) -> None:
    assert memory.free_memory() == 8 * GB // 1024 * 1024
    (system / "own").write_text("0::/\n")
    write(system / "cgroup", max="max", current=GB)
    assert memory.free_memory() == 8 * GB // 1024 * 1024


def test_a_group_and_those_above_it_limit_a_process(system: Path) -> None:
    (system / "own").write_text("0::/jobs/17\n")
    write(system / "cgroup/jobs", max=4 * GB, current=GB)
    assert memory.free_memory() == 3 * GB
    write(system / "cgroup/jobs/17", max=2 * GB, current=GB)
    assert memory.free_memory() == GB


def test_what_a_group_holds_of_files_makes_room(system: Path) -> None:
    (system / "own").write_text("0::/jobs\n")
    stat = "anon 7\ninactive_file 300\nactive_file 60\nunevictable 5"
    write(system / "cgroup/jobs", max=2000, current=1500, stat=stat)
    assert memory.free_memory() == 860


def test_groups_of_the_first_version_count_too(system: Path) -> None:
    (system / "own").write_text("5:cpu,cpuacct:/jobs\n4:memory:/of/the/host\n0::/\n")
    write(system / "cgroup/memory", limit_in_bytes=3000, usage_in_bytes=1000)
    assert memory.free_memory() == 2000


def test_where_no_one_tells_there_is_no_number(system: Path) -> None:
    (system / "meminfo").unlink()
    assert memory.free_memory() is None


def test_this_machine_tells_something_plausible() -> None:
    assert memory.free_memory() is None or memory.free_memory() > 10**7  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8 * GB),
        ("1.5 gb", 3 * GB // 2),
        ("512MiB", 512 << 20),
        ("64kB", 64_000),
        ("50%", 4 * GB // 1024 * 1024),
        ("100 %", 8 * GB // 1024 * 1024),
    ],
)
def test_a_text_stands_for_bytes(system: Path, text: str, size: int) -> None:
    assert memory.limit_of(text) == size


def test_processes_of_a_machine_divide_a_share_and_not_a_size(system: Path) -> None:
    assert memory.limit_of("50%", 4) == memory.limit_of("50%") // 4
    assert memory.limit_of("1GB", 4) == GB
