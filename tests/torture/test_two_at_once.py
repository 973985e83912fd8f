"""Two processes that write the same target: one wins whole, the other says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.bench import FULL, Told, scaled
from tests.torture.children import Child, run
from tests.torture.writers import WRITERS, images_below, written

SOME = list(WRITERS) if FULL else ["split", "generate", "aos-train"]
ROUNDS = scaled(1, 3)  # a command


@pytest.mark.parametrize("name", SOME)
def test_one_of_two_wins_whole_and_the_other_says_so(
    tmp_path: Path, checkpoints: dict[str, Path], name: str, told: Told
) -> None:
    src, writer = images_below(tmp_path / "src"), WRITERS[name]
    alone = tmp_path / "alone"
    assert run(writer.arguments(src, alone, checkpoints), tmp_path / "log") == 0
    for turn in range(ROUNDS):
        out = tmp_path / f"out-{turn}"
        logs = [tmp_path / f"log-{turn}-{i}" for i in range(3)]
        children = [Child(writer.arguments(src, out, checkpoints), log) for log in logs]
        codes = [child.wait() for child in children]
        assert sorted(codes) == [0, 2, 2], [child.said() for child in children]
        for code, child in zip(codes, children, strict=True):
            if code:
                said = child.said()
                assert "is being written by another process" in said or "exists" in said
                assert "Traceback" not in said
        assert written(out) == written(alone)
        assert not [path for path in out.rglob(".*")]
    told(ROUNDS, "races of three writers for one target")


@pytest.mark.parametrize("name", SOME)
def test_two_in_one_folder_share_no_temporary_file(
    tmp_path: Path, checkpoints: dict[str, Path], name: str
) -> None:
    src, writer = images_below(tmp_path / "src"), WRITERS[name]
    alone, out = tmp_path / "alone", tmp_path / "out"
    assert run(writer.arguments(src, alone, checkpoints), tmp_path / "log") == 0
    children = []
    for number in range(3):
        arguments = [
            str(text).replace(f"{out}/{writer.target}", f"{out}/{number}-{writer.target}")
            for text in writer.arguments(src, out, checkpoints)
        ]
        children.append(Child([*arguments], tmp_path / f"log-{number}"))
    assert [child.wait() for child in children] == [0, 0, 0]
    stem = writer.target.split(".")[0]
    expected = {
        path.replace(stem, f"{number}-{stem}", 1): data
        for path, data in written(alone).items()
        for number in range(3)
    }
    assert written(out) == expected


def test_a_checkpoint_is_never_the_state_of_another(tmp_path: Path) -> None:
    src = images_below(tmp_path / "src")
    out = tmp_path / "ae.state.safetensors"
    assert run(["train-ae", src, "--out", out], tmp_path / "log") == 2
    said = (tmp_path / "log").read_text()
    assert "names in .state.safetensors are those of interrupted runs" in said
    assert not out.exists()
