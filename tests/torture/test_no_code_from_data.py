"""Checkpoints, configuration and manifests are data: they run nothing and write nowhere else."""

from __future__ import annotations

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import imbsynth
from tests.torture.bench import everything_below, invoke
from tests.torture.corpus import plain_folder

SOURCES = sorted(Path(imbsynth.__file__).parent.rglob("*.py"))


class Writes:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_in_the_name_of_a_checkpoint_is_refused_and_not_run(
    tmp_path: Path, kind: str
) -> None:
    src, path, owned = plain_folder(tmp_path / "src"), tmp_path / "x.safetensors", tmp_path / "o"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Writes(owned)))
    else:
        torch.save({"weights": Writes(owned)}, path)
    for arguments in (
        ["generate", src, tmp_path / "out", "--ae", path],
        ["evaluate", path, src],
        ["train-ae", src, "--out", path, "--resume"],
    ):
        outcome = invoke(*arguments)
        assert outcome.code == 2
        assert "x.safetensors" in outcome.err
    assert not owned.exists()


def edited(checkpoint: Path, out: Path, **meta: Any) -> Path:
    """The checkpoint with other entries in its header."""
    with safe_open(checkpoint, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()["imbsynth"]) | meta
    header.pop("header", None)  # the digest of the rest
    save_file(tensors, out, {"imbsynth": json.dumps(header)})
    return out


NOT_NAMES = ["../../x", "/tmp/no class of ours", "a/b", "..", ".", "", "a\0b"]


@pytest.mark.parametrize("name", NOT_NAMES)
def test_a_class_that_is_no_name_is_refused_wherever_it_is_read(
    checkpoints: dict[str, Path], tmp_path: Path, name: str
) -> None:
    src, path = plain_folder(tmp_path / "src"), tmp_path / "x.safetensors"
    before = everything_below(tmp_path), sorted(os.listdir(tmp_path.parent))
    edited(checkpoints["clf"], path, counts=[["odd", 5], [name, 5]])
    clf = invoke("evaluate", path, src, "--out", tmp_path / "out")
    edited(checkpoints["ae"], path, classes=["odd", name])
    ae = invoke("generate", src, tmp_path / "out", "--ae", path)
    sizes = tmp_path / "sizes.json"
    sizes.write_text(json.dumps({"odd": 3, name: 3}))
    listed = [
        invoke("imbalance", src, tmp_path / "out", "--counts-file", sizes),
        invoke("generate", src, tmp_path / "out", "--per-class", sizes),
    ]
    assert [outcome.code for outcome in (clf, ae, *listed)] == [2, 2, 2, 2]
    path.unlink()
    sizes.unlink()
    assert (everything_below(tmp_path), sorted(os.listdir(tmp_path.parent))) == before
    assert not Path("/tmp/no class of ours").exists()


@pytest.mark.parametrize("key", ["file", "parents", "base", "neighbour"])
@pytest.mark.parametrize("name", ["../../x.png", "/etc/passwd", 7, None])
def test_a_manifest_that_leads_out_is_refused(
    checkpoints: dict[str, Path], tmp_path: Path, key: str, name: Any
) -> None:
    src, made = plain_folder(tmp_path / "src"), tmp_path / "made"
    assert invoke("generate", src, made, "--to", 8).code == 0
    lines = [json.loads(line) for line in (made / "manifest.jsonl").read_text().splitlines()]
    if key == "parents":
        lines[1]["parents"][0] = name
    elif key == "file":
        lines[1]["file"] = name
    else:  # the form of version 0.1
        first, second = lines[1].pop("parents")
        lines[1] |= {"base": first, "neighbour": second, key: name}
    (made / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for arguments in (
        ["evaluate", checkpoints["clf"], made],
        ["aos-train", made, "--out", tmp_path / "c.safetensors", "--epochs", 1],
    ):
        outcome = invoke(*arguments)
        assert outcome.code == 2
        assert "manifest.jsonl: line 2 does not name an image in the folder" in outcome.err


@pytest.mark.parametrize("shape", [[2**62], [2**31, 2**31], [-1], [10**30]])
def test_a_header_of_absurd_shapes_costs_no_memory(tmp_path: Path, shape: list[int]) -> None:
    meta = {"kind": "train-ae", "shape": {"channels": 1, "height": 8, "width": 8, "latent_dim": 4}}
    header = {
        "__metadata__": {"imbsynth": json.dumps(meta)},
        "encoder.0.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]},
    }
    text, path = json.dumps(header).encode(), tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    src = plain_folder(tmp_path / "src")
    outcome = invoke("generate", src, tmp_path / "out", "--ae", path)
    assert outcome.code == 2
    assert "not an imbsynth checkpoint" in outcome.err


def test_a_checkpoint_may_have_any_name(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src")
    for name in ("caf\udce9", "😀", "-x", "new\nline"):
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(checkpoints["clf"].read_bytes())
        assert invoke("evaluate", path, src, "--draws", 100, "--json").code == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_in_the_package_could_run_data(path: Path) -> None:
    source = path.read_text()
    runs = r"import (pickle|marshal|shelve|subprocess)|(?<!\.)\b(eval|exec)\(|os\.system"
    loads = r"torch\.load\((?!.*weights_only=True)|yaml\.(unsafe|full)_load"
    if path.name == "png_writers.py":  # it starts this very Python, with words of our own
        start = (
            r"import subprocess\n|subprocess\.Popen\(\s+\[sys\.executable, \"-I\", \"-c\", SERVE,"
        )
        source, started = re.subn(start, "", source)
        assert started == 2
        assert not re.search(r"subprocess\.(?!PIPE|DEVNULL)|shell", source)
    assert not re.search(rf"{runs}|{loads}", source)
    if path.name != "plain_yaml.py":
        assert "import yaml" not in source
