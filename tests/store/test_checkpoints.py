from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from imbsynth.errors import UserError
from imbsynth.store.checkpoint_headers import kept_scores, read_header
from imbsynth.store.checkpoints import (
    UNFINISHED,
    Checkpoint,
    check_tensors,
    is_checkpoint,
    load_checkpoint,
    save_checkpoint,
)

META = {"kind": "train-ae", "shape": [1, 28, 28], "note": "café 😀", "loss": 0.1, "none": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ae.safetensors"


def tensors() -> dict[str, torch.Tensor]:
    return {
        "weight": torch.arange(6.0).reshape(2, 3).T,  # not contiguous
        "steps": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "half": torch.tensor([0.1, -0.0, torch.inf], dtype=torch.bfloat16),
        "learnt": torch.nn.Parameter(torch.ones(2)),
    }


def file_of(header: Any, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_a_pipe_is_no_checkpoint(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"not an imbsynth checkpoint \(not a regular file\)"):
        load_checkpoint(path, "train-ae")
    assert not is_checkpoint(path)


def test_a_checkpoint_comes_back_as_it_was_saved(path: Path) -> None:
    save_checkpoint(path, Checkpoint(tensors(), META))
    loaded = load_checkpoint(path, "train-ae")
    assert loaded.meta == META
    assert loaded.tensors.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert loaded.tensors[name].equal(tensor)
        assert not loaded.tensors[name].requires_grad


def test_a_second_save_gives_the_same_bytes_and_leaves_nothing_beside_it(path: Path) -> None:
    save_checkpoint(path, Checkpoint(tensors(), META))
    first = path.read_bytes()
    turned = Checkpoint(dict(reversed(tensors().items())), dict(reversed(META.items())))
    save_checkpoint(path, turned)
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_loaded_checkpoint_outlives_its_file(path: Path) -> None:
    save_checkpoint(path, Checkpoint({"a": torch.zeros(1000)}, META))
    loaded = load_checkpoint(path, "train-ae")
    save_checkpoint(path, Checkpoint({"a": torch.ones(1000)}, META))
    assert not loaded.tensors["a"].any()


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('unpickled')",)


def test_a_pickle_is_refused_and_not_run(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="not an imbsynth checkpoint"):
        load_checkpoint(path, "train-ae")
    torch.save({"weight": torch.zeros(2), "bomb": Bomb()}, path)
    with pytest.raises(UserError, match="not an imbsynth checkpoint"):
        load_checkpoint(path, "train-ae")


OURS = {"imbsynth": json.dumps(META)}
FOREIGN = {
    "nothing": b"",
    "text": b"Dear Sir,\n" * 20,
    "zeros": bytes(1000),
    "a header too long": b"\xff" * 100,
    "no header of ours": file_of({"__metadata__": {"format": "pt"}}),
    "no header at all": file_of({}),
    "no JSON in it": file_of({"__metadata__": {"imbsynth": "{"}}),
    "a list in it": file_of({"__metadata__": {"imbsynth": "[]"}}),
    "a null in it": file_of({"__metadata__": {"imbsynth": "null"}}),
    "no kind in it": file_of({"__metadata__": {"imbsynth": "{}"}}),
    "a deep nest in it": file_of({"__metadata__": {"imbsynth": "[" * 100_000}}),
    "a tensor that is not there": file_of(
        {"__metadata__": OURS, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ),
    "a tensor of absurd size": file_of(
        {"__metadata__": OURS, "a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 4]}},
        bytes(4),
    ),
    "a tensor of unknown type": file_of(
        {"__metadata__": OURS, "a": {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}},
        bytes(4),
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused_with_advice(path: Path, name: str) -> None:
    path.write_bytes(FOREIGN[name])
    with pytest.raises(UserError, match=r"not an imbsynth checkpoint \(.+\)\n") as caught:
        load_checkpoint(path, "train-ae")
    assert caught.value.fix == "pass a file written by train-ae"
    assert "\n" not in caught.value.problem


def test_a_header_with_a_flipped_letter_is_refused(path: Path) -> None:
    save_checkpoint(path, Checkpoint(tensors(), META | {"note": "attack_step_size"}))
    path.write_bytes(path.read_bytes().replace(b"attack_step", b"attacK_step"))
    with pytest.raises(UserError, match="its header is not the one that was written"):
        load_checkpoint(path, "train-ae")
    with pytest.raises(UserError, match="its header is not the one that was written"):
        read_header(path)


def test_a_checkpoint_of_somebody_else_is_refused(path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, path, {"format": "pt"})
    with pytest.raises(UserError, match="not an imbsynth checkpoint"):
        load_checkpoint(path, "train-ae")


def test_a_checkpoint_cut_anywhere_is_refused(path: Path) -> None:
    save_checkpoint(path, Checkpoint({"a": torch.arange(4.0)}, {"kind": "train-ae"}))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match="not an imbsynth checkpoint"):
            load_checkpoint(path, "train-ae")


def test_a_missing_checkpoint_and_a_folder_are_refused(path: Path) -> None:
    with pytest.raises(UserError, match=r"ae\.safetensors: no such file"):
        load_checkpoint(path, "train-ae")
    with pytest.raises(UserError, match="a folder, not a checkpoint"):
        load_checkpoint(path.parent, "train-ae")


def test_a_checkpoint_of_another_kind_is_named(path: Path) -> None:
    save_checkpoint(path, Checkpoint({}, {"kind": "aos-train"}))
    with pytest.raises(UserError, match="a checkpoint of aos-train, not a checkpoint of train-ae"):
        load_checkpoint(path, "train-ae")
    with pytest.raises(UserError, match=r"of aos-train, not the state of a run\n  fix: remove it"):
        load_checkpoint(path, UNFINISHED)
    save_checkpoint(path, Checkpoint({}, {"kind": UNFINISHED}))
    with pytest.raises(UserError, match=r"the state of a run, not a .*\n  fix: complete that run"):
        load_checkpoint(path, "train-ae")


EXPECTED = {"a": torch.zeros(2, 3), "b": torch.zeros(1)}


@pytest.mark.parametrize(
    ("found", "count", "first"),
    [
        ({"b": torch.zeros(1)}, 1, "a"),
        ({**EXPECTED, "c": torch.zeros(1)}, 1, "c"),
        ({**EXPECTED, "a": torch.zeros(3, 2)}, 1, "a"),
        ({**EXPECTED, "b": torch.zeros(1, dtype=torch.float64)}, 1, "b"),
        ({}, 2, "a"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    path: Path, found: dict[str, torch.Tensor], count: int, first: str
) -> None:
    with pytest.raises(UserError, match=f"{count} of its tensors .* the first: {first}\n"):
        check_tensors(path, found, EXPECTED)


def test_tensors_that_fit_need_no_memory_to_compare(path: Path) -> None:
    expected = {name: tensor.to("meta") for name, tensor in EXPECTED.items()}
    check_tensors(path, EXPECTED, expected)
    absurd = {**expected, "b": torch.zeros(10**12, device="meta")}
    with pytest.raises(UserError, match="the first: b"):
        check_tensors(path, EXPECTED, absurd)


def test_the_scores_of_a_checkpoint_are_those_of_its_chosen_head() -> None:
    path, line = Path("clf.safetensors"), {"acsa": 0.5}
    header = {"chosen_head": {"name": "new", "scores": {"old": line, "new": {"acsa": 0.75}}}}
    assert kept_scores(path, {}, line, ["acsa"]) == line
    assert kept_scores(path, header, line, ["acsa"]) == {"acsa": 0.75}
    with pytest.raises(
        UserError, match=r"clf.safetensors: its scores .* damaged \(.*new.* is missing"
    ):
        kept_scores(path, {"chosen_head": {"name": "new", "scores": {}}}, line, ["acsa"])
