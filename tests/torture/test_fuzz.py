"""Damaged images, checkpoints, YAML and manifests, and options of any value: never a traceback.

`make torture` says how many were tried.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save, save_file

from imbsynth.configs import AosTrainConfig, ReportConfig, TrainAeConfig
from imbsynth.engine import aos_train, experiment, report, train_ae
from imbsynth.engine.events import EpochDone, Event
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.engine.manifest import made_of
from imbsynth.errors import UserError
from imbsynth.store.decoding import Unreadable, decode, quiet
from imbsynth.store.plain_yaml import read_texts, read_values
from imbsynth.store.records import read_counts
from tests.conftest import MakeFolder
from tests.engine.experiments.written import written
from tests.torture.bench import Told, bounded, invoke, scaled
from tests.torture.corpus import plain_folder, readable, unreadable
from tests.torture.mutation import ODD, damaged, with_an_oddity

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def assert_one_line(error: Exception) -> None:
    """Something is said, and the problem on one line."""
    assert 1 <= len(str(error).splitlines()) <= (2 if isinstance(error, UserError) else 1)


def test_a_damaged_image_is_an_image_or_unreadable(told: Told) -> None:
    files = {**readable(), **unreadable()}
    rng, count = random.Random(1), scaled(1500, 60_000)
    with quiet(), bounded(3600):
        for _ in range(count):
            try:
                picture = decode(damaged(rng.choice(list(files.values())).data, rng))
            except Unreadable as error:
                assert_one_line(error)
                continue
            assert picture.pixels.dtype == np.uint8
            assert picture.pixels.size
    told(count, "damaged images")


def test_a_damaged_png_never_shows_other_pixels(told: Told) -> None:
    files = [content.data for content in readable().values() if content.data[1:4] == b"PNG"]
    rng, count = random.Random(2), scaled(500, 20_000)
    with quiet(), bounded(3600):
        known = [decode(data).pixels for data in files]
        for _ in range(count):
            which = rng.randrange(len(files))
            try:
                found = decode(damaged(files[which], rng)).pixels
            except Unreadable:
                continue
            assert np.array_equal(found, known[which])
    told(count, "damaged PNG files, none of which shows other pixels")


@pytest.mark.parametrize("name", ["ae", "clf"])
def test_a_damaged_checkpoint_computes_numbers_or_is_refused(
    told: Told, checkpoints: dict[str, Path], tmp_path: Path, name: str
) -> None:
    data, path = checkpoints[name].read_bytes(), tmp_path / "x.safetensors"
    header = 8 + int.from_bytes(data[:8], "little")
    rng, count = random.Random(3), scaled(8, 150)
    for _ in range(count):
        head = damaged(data[:header], rng) if rng.random() < 0.7 else data[:header]
        body = data[header:] if head != data[:header] else _scratched(data[header:], rng)
        path.write_bytes(head + body)
        whole = try_checkpoint(name, path)
        assert not whole or body == data[header:]
    told(count, "damaged checkpoints")


def _scratched(body: bytes, rng: random.Random) -> bytes:
    """A part of the weights overwritten, often by numbers that are none."""
    found, start = bytearray(body), 4 * rng.randrange(len(body) // 4)
    found[start : start + 4] = rng.choice([b"\0\0\x80\x7f", b"\xff\xff\xff\x7f", rng.randbytes(4)])
    return bytes(found)


def try_checkpoint(name: str, path: Path) -> bool:
    """Load and use a checkpoint, or be refused: only UserError may come of it."""
    try:
        if name == "clf":
            load_classifier(path)
            return True
        autoencoder = TrainedAutoencoder(load_autoencoder(path), torch.device("cpu"), "fp32")
        autoencoder.decode(
            autoencoder.encode(torch.zeros((2, *autoencoder.model.shape[:3]), dtype=torch.uint8))
        )
    except UserError as error:
        assert_one_line(error)
        return False
    return True


@pytest.mark.parametrize("name", ["ae", "clf"])
def test_a_checkpoint_with_an_odd_header_works_or_is_refused(
    told: Told, checkpoints: dict[str, Path], tmp_path: Path, name: str
) -> None:
    with safe_open(checkpoints[name], "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        meta = json.loads(file.metadata()["imbsynth"])
    del meta["header"]  # its digest, without which the oddity is looked at
    whole = save(tensors, {"imbsynth": "@"})
    size = int.from_bytes(whole[:8], "little")
    header, body = json.loads(whole[8 : 8 + size]), whole[8 + size :]
    rng, count = random.Random(4), scaled(10, 200)
    for _ in range(count):
        header["__metadata__"]["imbsynth"] = json.dumps(with_an_oddity(meta, rng))
        text = json.dumps(header).encode()
        path = tmp_path / "x.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text + body)
        try_checkpoint(name, path)
    told(count, "checkpoints with odd headers")


class Stopped(Exception):
    """Ends a run with its state on the disk."""


def stop_after_two(event: Event) -> None:
    if isinstance(event, EpochDone) and event.epoch == 2:
        raise Stopped


@pytest.fixture(scope="module", params=["train-ae", "aos-train"])
def stopped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Callable[..., Any], Any, Path]:
    """A training that was stopped after two epochs of three: its run, config and state."""
    from imbsynth.engine.training import loop

    folder = tmp_path_factory.mktemp("stopped")
    src, out = plain_folder(folder / "src"), folder / "x.safetensors"
    common: dict[str, Any] = {"src": src, "out": out, "epochs": 3, "device": "cpu"}
    run: Callable[..., Any] = train_ae.run
    config: Any = TrainAeConfig(**common, latent_dim=2)
    if request.param == "aos-train":
        run, config = aos_train.run, AosTrainConfig(**common, batch_size=4, augment="none")
    before, loop.SAVE_EVERY = loop.SAVE_EVERY, 0.0
    try:
        with pytest.raises(Stopped):
            run(config, on_event=stop_after_two)
    finally:
        loop.SAVE_EVERY = before
    state = folder / "x.state.safetensors"
    assert state.exists()
    return run, config, state


def test_an_odd_state_goes_on_or_is_refused(
    told: Told, stopped: tuple[Callable[..., Any], Any, Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    run, config, state = stopped
    with safe_open(state, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        meta = json.loads(file.metadata()["imbsynth"])
    del meta["header"]  # its digest, without which the oddity is looked at
    rng, count = random.Random(5), scaled(4, 60)
    for number in range(count):
        odd, kept = with_an_oddity(meta, rng), dict(tensors)
        if rng.random() < 0.3:
            odd = meta
            kept.pop(rng.choice(sorted(kept)))
        out = tmp_path / str(number) / "x.safetensors"
        out.parent.mkdir()
        save_file(kept, out.with_suffix(".state.safetensors"), {"imbsynth": json.dumps(odd)})
        try:
            run(replace(config, out=out, resume=True))
        except UserError as error:
            assert_one_line(error)
        else:
            assert out.exists()
        shutil.rmtree(out.parent)
    told(count, "odd states of training")


def test_a_damaged_state_or_log_goes_on_or_is_refused(
    told: Told, stopped: tuple[Callable[..., Any], Any, Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    run, config, state = stopped
    whole = tmp_path / "whole/x.safetensors"
    shutil.copytree(state.parent, whole.parent)
    run(replace(config, out=whole, resume=True))
    log, data = whole.with_suffix(".jsonl").read_bytes(), state.read_bytes()
    rng, count = random.Random(6), scaled(2, 40)
    for _ in range(count):
        broken = tmp_path / "broken.state.safetensors"
        broken.write_bytes(damaged(data[:4000], rng) + data[4000:])
        with pytest.raises(UserError) if broken.read_bytes() != data else bounded():
            run(replace(config, out=tmp_path / "broken.safetensors", resume=True))
        whole.with_suffix(".jsonl").write_bytes(damaged(log, rng))
        try:
            run(replace(config, out=whole, resume=True))
        except UserError as error:
            assert_one_line(error)
    told(2 * count, "damaged states and logs")


YAML = (
    "counts: [4, 3]\nseed: 5\nlink: hard\njson: true\n",
    "cat: 100\n'007': 5\n\"no\": 3\n2024-01-01: 7\n",
    '{"cat": 100, "dog": 7}',
    "a: &x [1, 2]\nb: *x\n? [c]\n: !!int 5\n",
    "seed: !!binary aGVsbG8=\n<<: {a: 1}\nb: !!set {x, y}\nc: .nan\nd: 0x1f\ne: 1:30\n",
)


def test_damaged_yaml_is_a_mapping_or_refused(told: Told) -> None:
    rng, count = random.Random(7), scaled(1000, 20_000)
    with bounded(3600):
        for _ in range(count):
            text = damaged(rng.choice(YAML).encode(), rng).decode("utf-8", "replace")
            for read in (read_texts, read_values):
                try:
                    assert isinstance(read(text), dict)
                except ValueError as error:
                    assert_one_line(error)
    told(count, "damaged YAML texts")


BILLION = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
)
# What the fuzzing and the reading before it found.
FOUND_IN_YAML = {
    "a billion laughs": BILLION,
    "one key twice": "seed: 1\nseed: 2",
    "a truth that is none": "seed: !!bool perhaps",
    "no time": "seed: !!timestamp noon",
    "a number of 10,000 digits": f"seed: 0x{'f' * 10_000}",
    "such a number as a key": f"0x{'f' * 10_000}: 1",
    "such a number in a list": f"seed: [0x{'f' * 10_000}]",
    "an object": "seed: !!python/object/apply:os.system [id]",
    "a nest": "seed: {a: {b: [1]}}",
    "a truth for a number": "seed: true",
    "a number for a truth": "json: 7",
    "bytes": "seed: !!binary aGVsbG8=",
}


@pytest.mark.parametrize("case", FOUND_IN_YAML)
def test_an_odd_options_file_or_list_of_sizes_is_refused(tmp_path: Path, case: str) -> None:
    src, path = plain_folder(tmp_path / "src", images=2), tmp_path / "x.yaml"
    path.write_text(FOUND_IN_YAML[case])
    way = ["--profile", "exp", "--ratio", 2]
    assert invoke("imbalance", src, tmp_path / "out", *way, "--config", path).code == 2
    assert invoke("imbalance", src, tmp_path / "out", "--counts-file", path).code == 2
    assert not (tmp_path / "out").exists()


def test_damaged_lists_of_sizes_are_sizes_or_refused(told: Told, tmp_path: Path) -> None:
    rng, count = random.Random(8), scaled(300, 10_000)
    path = tmp_path / "x.yaml"
    for _ in range(count):
        path.write_bytes(damaged(rng.choice(YAML).encode(), rng))
        try:
            assert all(type(n) is int and n >= 0 for n in read_counts(path).values())
        except UserError as error:
            assert_one_line(error)
    told(count, "damaged lists of class sizes")


def test_a_damaged_manifest_is_read_or_refused(told: Told, tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src", images=3)
    assert invoke("generate", src, tmp_path / "made", "--to", 5).code == 0
    manifest = tmp_path / "made/manifest.jsonl"
    data = manifest.read_bytes()
    lines = [json.loads(line) for line in data.splitlines()]
    rng, count = random.Random(9), scaled(300, 10_000)
    for number in range(count):
        odd = with_an_oddity(lines, rng)
        text = "".join(json.dumps(line) + "\n" for line in odd if isinstance(odd, list))
        manifest.write_bytes(damaged(data, rng) if number % 2 else text.encode())
        try:
            for file, sources in made_of(tmp_path / "made").items():
                assert not {"..", ""} & {
                    part for p in (file, *sources.parents) for part in p.split("/")
                }
        except UserError as error:
            assert_one_line(error)
    told(count, "damaged manifests")


def test_odd_scores_are_compared_or_refused(
    told: Told, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    src, out = plain_folder(tmp_path / "src"), tmp_path / "scores"
    assert invoke("evaluate", checkpoints["clf"], src, "--out", out, "--draws", 100).code == 0
    metrics, record = out / "metrics.json", out / "run.json"
    scores, data = json.loads(metrics.read_text()), record.read_bytes()
    rng, count = random.Random(10), scaled(30, 1000)
    for _ in range(count):
        metrics.write_text(json.dumps(with_an_oddity(scores, rng)))
        invoke("compare", out)
    for _ in range(scaled(1, 20)):
        record.write_bytes(damaged(data, rng))
        again = ["evaluate", checkpoints["clf"], src, "--out", out, "--draws", 100, "--force"]
        invoke(*again)
        shutil.rmtree(out)
        invoke(*again)
    told(count, "odd files of scores")


def test_an_odd_verdict_is_reported_or_refused(
    told: Told, tmp_path: Path, make_folder: MakeFolder
) -> None:
    config = written(make_folder, {"plain": [10, 11, 9], "copies": [15, 16, 14]})
    files = sorted(config.out.rglob("*.json"))
    whole = {file: file.read_bytes() for file in files}
    page = ReportConfig(src=config.out, out=tmp_path / "page.html", force=True)
    tried: list[tuple[Callable[[Any], object], object]]
    tried = [(report.run, page), (experiment.run, config)]
    rng, count = random.Random(11), scaled(30, 1500)
    for number in range(count):
        file = rng.choice(files)
        odd = with_an_oddity(json.loads(whole[file]), rng)
        file.write_bytes(damaged(whole[file], rng) if number % 4 == 0 else json.dumps(odd).encode())
        for run, asked in tried:
            try:
                run(asked)
            except UserError as error:
                assert_one_line(error)
        file.write_bytes(whole[file])
    told(count, "odd protocols and trials of a verdict")


numbers = st.one_of(
    st.integers(-3, 12), st.integers(-(10**20), 10**20), st.floats(), st.sampled_from(["", "x"])
)
words = st.sampled_from(
    ["auto", "1", "3", "exp", "linear", "step", "smote", "ros", "copy", "hard", "symbolic", "none"]
)
values = st.one_of(numbers, words, st.text(max_size=5), st.sampled_from([str(v) for v in ODD]))
options = {
    "imbalance": ["--counts", "--ratio", "--minority-fraction", "--profile", "--link", "--seed"],
    "split": ["--fractions", "--folds", "--link", "--seed"],
    "generate": ["--to", "--k-neighbors", "--method", "--image-size", "--batch-size", "--seed"],
    "evaluate": ["--draws", "--batch-size", "--precision", "--device", "--seed"],
}


@given(data=st.data())
@settings(max_examples=scaled(40, 600), suppress_health_check=SLOW)
def test_options_of_any_value_work_or_are_explained(
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    checkpoints: dict[str, Path],
) -> None:
    folder = tmp_path_factory.mktemp("options")
    src = plain_folder(folder / "src", images=3)
    name = data.draw(st.sampled_from(sorted(options)))
    chosen = data.draw(st.dictionaries(st.sampled_from(options[name]), values, max_size=3))
    given_options = [
        f"{option}={value}" for option, value in chosen.items() if _small(option, value)
    ]
    if name == "evaluate":
        invoke(name, checkpoints["clf"], src, *given_options)
    else:
        invoke(name, src, folder / "out", *given_options)
    assert not list(folder.glob(".*"))
    shutil.rmtree(folder)


def _small(option: str, value: Any) -> bool:
    """Leave out what is allowed and would only take long: huge outputs, images and bootstraps."""
    if option not in ("--to", "--image-size", "--draws"):
        return True
    try:
        return not 12 < float(value) < 1e8
    except ValueError:
        return True


def test_more_images_than_the_disk_holds_are_refused_at_once(tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src", images=2)
    outcome = invoke("generate", src, tmp_path / "out", "--to", 1_000_000_000)
    assert outcome.code == 2
    assert "the images would take 8,192,000.00 MB, and the disk has room for" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_images_beyond_any_memory_are_refused_at_once(tmp_path: Path) -> None:
    src = plain_folder(tmp_path / "src", images=2)
    outcome = invoke("generate", src, tmp_path / "out", "--image-size", 99_999)
    assert outcome.code == 2
    assert "--image-size is '99999'" in outcome.err
    assert "at most 100,000,000 pixels" in outcome.err
