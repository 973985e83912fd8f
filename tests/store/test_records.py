from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imbsynth.configs import ImbalanceConfig
from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of
from imbsynth.store.outputs import RECORD
from imbsynth.store.records import (
    as_json,
    provenance,
    read_counts,
    read_lines,
    write_lines,
    write_record,
)

SURROGATES = st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"])
NAMES = st.text(st.characters(codec="utf-8") | SURROGATES)  # any name that a file can have


def made_by(src: Path, **options: Any) -> dict[str, Any]:
    config = ImbalanceConfig(src=src, dst=src / "../out", counts=(3, 1), **options)
    return provenance("imbalance", config, inputs={"src": "ab" * 32}, libraries=("numpy",))


def test_a_record_says_how_an_output_was_made(tmp_path: Path) -> None:
    record = made_by(tmp_path / "photos", seed=7)
    assert record["command"] == "imbalance"
    assert record["config"]["src"] == "photos"
    assert record["config"]["counts"] == "3,1"
    assert record["config"]["seed"] == 7
    assert record["inputs"] == {"src": "ab" * 32}
    assert record["versions"].keys() == {"imbsynth", "python", "numpy"}
    assert record["versions"]["numpy"] == version("numpy")


def test_what_auto_came_to_is_recorded(tmp_path: Path) -> None:
    config = ImbalanceConfig(src=tmp_path, dst=tmp_path, counts=(1,))
    record = provenance("x", config, inputs={}, libraries=(), resolved={"device": "cpu"})
    assert record["config"]["device"] == "cpu"


def test_a_record_is_the_same_wherever_the_folders_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    here = made_by(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    assert made_by(Path("photos")) == here
    monkeypatch.chdir("photos")
    assert made_by(Path(".")) == here
    assert made_by(tmp_path / "elsewhere/photos", force=True) == here
    assert str(tmp_path) not in json.dumps(here)


def test_the_same_record_is_the_same_bytes(tmp_path: Path) -> None:
    record = made_by(tmp_path)
    (tmp_path / "image.png").write_bytes(b"pixels")
    write_record(tmp_path, record)
    first = (tmp_path / RECORD).read_bytes()
    write_record(tmp_path, dict(reversed(record.items())))
    assert (tmp_path / RECORD).read_bytes() == first
    outputs = {"image.png": hashlib.sha256(b"pixels").hexdigest()}
    assert json.loads(first) == {**record, "outputs": outputs}


@given(rows=st.lists(st.dictionaries(NAMES, NAMES | st.integers() | st.booleans() | st.none())))
def test_json_lines_hold_any_name(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    write_lines(path, rows)
    assert read_lines(path) == rows
    assert path.read_bytes().count(b"\n") == len(rows)


@pytest.mark.parametrize("text", ["{", "[1]", "1", '{"a": 1}\n\n{"b": 2}', "[" * 100_000, "\xff"])
def test_other_files_are_not_json_lines(tmp_path: Path, text: str) -> None:
    (tmp_path / "rows.jsonl").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"rows\.jsonl: not a file of JSON lines"):
        read_lines(tmp_path / "rows.jsonl")


def test_missing_json_lines_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rows\.jsonl: not a file of JSON lines"):
        read_lines(tmp_path / "rows.jsonl")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("cat: 100\ndog: 3\n", {"cat": 100, "dog": 3}),
        ('{"cat": 100, "dog": 3}', {"cat": 100, "dog": 3}),
        ("dog: 3\ncat: 0", {"dog": 3, "cat": 0}),
        ("0: 5\n1: 6", {"0": 5, "1": 6}),
        ("'007': 1\n'no': 2", {"007": 1, "no": 2}),
        ("two words: 1\n-rf: 2\n日本: 3 # rare", {"two words": 1, "-rf": 2, "日本": 3}),
    ],
)
def test_class_sizes_come_in_yaml_or_json(
    tmp_path: Path, text: str, counts: dict[str, int]
) -> None:
    (tmp_path / "counts.yaml").write_text(text, encoding="utf-8")
    assert read_counts(tmp_path / "counts.yaml") == counts


BAD_COUNTS = {
    "nothing": "",
    "a list": "- cat\n- dog",
    "a word": "cat",
    "no classes": "{}",
    "a negative": "cat: -1",
    "a fraction": "cat: 1.5",
    "a word for a number": "cat: many",
    "a truth": "cat: true",
    "a hole": "cat:",
    "a nest": "cat: {dog: 1}",
    "two documents": "cat: 1\n---\ndog: 2",
    "an open bracket": "{cat: 1",
    "a tab": "cat:\n\t1",
    "an object": "!!python/object/apply:os.getcwd []",
    "an object for a number": "cat: !!python/object/apply:os.getcwd []",
    "a name of Python's": "cat: !!python/name:os.getcwd",
    "no time": "cat: !!timestamp noon",
    "no whole number": "cat: !!int ''",
    "no truth": "cat: !!bool perhaps",
    "an impossible day": "cat: 2020-13-45",
    "too many digits": "cat: " + "9" * 5000,
    "a deep nest": "[" * 1000,
    "a control character": "cat: \x00",
    "latin-1": "caf\xe9: 1",
}


@pytest.mark.parametrize("name", BAD_COUNTS)
def test_anything_else_is_refused_with_an_example(tmp_path: Path, name: str) -> None:
    path = tmp_path / "counts.yaml"
    path.write_text(BAD_COUNTS[name], encoding="latin-1")
    with pytest.raises(UserError) as caught:
        read_counts(path)
    assert caught.value.problem.startswith(str(path))
    assert "`cat: 100`" in caught.value.fix


def test_missing_class_sizes_are_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "counts.yaml"):
        with pytest.raises(UserError, match="cannot be read"):
            read_counts(path)


def test_digests_are_sha_256() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of(b"") == empty


@dataclass(frozen=True)
class Report:
    counts: dict[str, int]
    out: Path


def test_a_report_is_one_line_of_json() -> None:
    text = as_json(Report({"a\nb\udce9": 1}, Path("out")))
    assert "\n" not in text
    assert json.loads(text) == {"counts": {"a\nb\udce9": 1}, "out": "out"}


def test_where_torch_computes_the_number_of_threads_is_recorded(tmp_path: Path) -> None:
    config = ImbalanceConfig(src=tmp_path, dst=tmp_path, counts=(1,))
    record = provenance("x", config, inputs={}, libraries=("torch",))
    assert record["threads"] == torch.get_num_threads()
    assert "threads" not in made_by(tmp_path)
