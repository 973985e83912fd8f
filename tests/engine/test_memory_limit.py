"""Where images are, in memory, in a file or in a cache, changes nothing of what comes out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from imbsynth.configs import (
    AosTrainConfig,
    AuditConfig,
    EvaluateConfig,
    GenerateConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.engine import aos_train, audit, evaluate, generate, train_ae, train_generator
from imbsynth.engine.configured import as_configured
from imbsynth.engine.events import EpochDone, Event, Note
from imbsynth.errors import Interrupted
from imbsynth.store import filling, row_files
from imbsynth.store.kept_images import KEPT, PIXELS
from imbsynth.store.row_files import Form
from tests.conftest import MakeFolder, contents

SAMPLES = Path(__file__).parents[2] / "sample_data/train"
TINY = "1kB"  # less than any folder here takes
RUN: dict[str, Any] = {"device": "cpu", "precision": "fp32"}
TRAINING: dict[str, Any] = {**RUN, "epochs": 2, "batch_size": 4}


@pytest.fixture
def src(make_folder: MakeFolder) -> Path:
    return make_folder({"a": 14, "b": 6, "c": 5}, mode="RGB")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The form of the rows in every file that was used for lack of room."""
    found: list[object] = []
    make = row_files.Stored

    def noted(file: IO[bytes], form: Form, name: str) -> row_files.Stored:
        found.append(form)
        return make(file, form, name)

    monkeypatch.setattr(filling, "Stored", noted)
    return found


def classifier(src: Path, out: Path, **options: Any) -> None:
    config = AosTrainConfig(src=src, out=out / "clf.safetensors", **TRAINING, **options)
    as_configured(aos_train.run)(config)


def trained_autoencoder(src: Path, work: Path) -> Path:
    ae = work / "ae.safetensors"
    if not ae.exists():
        options = TRAINING | {"batch_size": 32}
        train_ae.run(TrainAeConfig(src=src, out=ae, latent_dim=20, **options))
    return ae


def smote_in_latent_space(src: Path, out: Path, **options: Any) -> None:
    ae = trained_autoencoder(src, out.parent)
    classifier(src, out, oversample="smote", ae=ae, decode="residual", **options)


def balance_in_latent_space(decode: str) -> Callable[..., None]:
    def run(src: Path, out: Path, **options: Any) -> None:
        balance(src, out, ae=trained_autoencoder(src, out.parent), decode=decode, **options)

    return run


def autoencoder(src: Path, out: Path, **options: Any) -> None:
    config = TrainAeConfig(src=src, out=out / "ae.safetensors", **TRAINING, **options)
    as_configured(train_ae.run)(config)


def generator(kind: str) -> Callable[..., None]:
    def run(src: Path, out: Path, **options: Any) -> None:
        config = TrainGeneratorConfig(
            src=src, out=out / "gen.safetensors", kind=kind, **TRAINING, **options
        )
        as_configured(train_generator.run)(config)

    return run


def balance(src: Path, out: Path, **options: Any) -> None:
    as_configured(generate.run)(GenerateConfig(src=src, dst=out / "dst", **RUN, **options))


def judged(src: Path, out: Path, **options: Any) -> None:
    fake = src.parent / "fake"
    if not fake.exists():
        generate.run(GenerateConfig(src=src, dst=fake, synthetic_only=True, to=20, **RUN))
    config = AuditConfig(real=src, fake=fake, out=out / "audit", epochs=1, device="cpu", **options)
    as_configured(audit.run)(config)


def scored(src: Path, out: Path, **options: Any) -> None:
    trained = src.parent / "scored"
    if not trained.exists():
        classifier(src, trained, val_fraction=0.2)
    config = EvaluateConfig(
        checkpoint=trained / "clf.safetensors", src=src, out=out / "eval", allow_overlap=True,
        **RUN, **options,
    )  # fmt: skip
    as_configured(evaluate.run)(config)


RUNS = [
    classifier,
    smote_in_latent_space,
    autoencoder,
    generator("bagan"),
    generator("flow"),
    balance,
    balance_in_latent_space("plain"),
    balance_in_latent_space("residual"),
    judged,
    scored,
]
NAMES = ["classifier", "smote", "autoencoder", "bagan", "flow"]
NAMES += ["generate", "plain", "residual", "audit", "evaluate"]


def outputs(folder: Path) -> dict[str, bytes]:
    """All but logs, which have times in them."""
    return {k: v for k, v in contents(folder).items() if not k.endswith(".jsonl") or "mani" in k}


@pytest.mark.parametrize("run", RUNS, ids=NAMES)
def test_the_bytes_do_not_depend_on_where_the_images_are(
    src: Path, tmp_path: Path, files: list[object], run: Callable[..., None]
) -> None:
    run(src, tmp_path / "memory")
    assert not files
    run(src, tmp_path / "file", memory=TINY)
    assert files
    assert outputs(tmp_path / "file") == outputs(tmp_path / "memory")


def test_what_is_computed_of_images_is_under_the_limit_too(
    tmp_path: Path, files: list[object]
) -> None:
    """455 images: their pixels take 29 kB, decoded 58 kB, their latent vectors 36 kB."""
    run = balance_in_latent_space("residual")
    for name, memory in (("memory", "50%"), ("file", "100KB"), ("less", "50KB")):
        run(SAMPLES, tmp_path / name, memory=memory, to=60)
    assert files == [((1, 8, 8), np.float16), ((20,), np.float32), ((1, 8, 8), np.float16)]
    expected = outputs(tmp_path / "memory")
    assert outputs(tmp_path / "file") == outputs(tmp_path / "less") == expected


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({"tau": 1.0}, Form((3, 8, 8), np.int8)),
        ({"head_epochs": 1}, Form((64,), np.float32)),
        ({"head_epochs": 1, "head_synthesis": "calibrated"}, Form((64,), np.float32)),
    ],
    ids=["moves", "features", "views"],
)
def test_what_a_training_keeps_of_images_is_under_the_limit_too(
    src: Path, tmp_path: Path, files: list[object], options: dict[str, Any], row: Form
) -> None:
    classifier(src, tmp_path / "memory", **options)
    assert not files
    classifier(src, tmp_path / "file", memory=TINY, **options)
    assert row in files
    assert outputs(tmp_path / "file") == outputs(tmp_path / "memory")


def test_the_second_command_finds_the_images_in_the_cache(
    src: Path, tmp_path: Path, files: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier(src, tmp_path / "memory")
    cached = {"memory": TINY, "cache": tmp_path / "cache"}
    classifier(src, tmp_path / "first", **cached)
    pixels = Form((3, 8, 8))
    made = files.count(pixels)
    classifier(src, tmp_path / "second", **cached)
    assert files.count(pixels) == made == 1
    assert len(list((tmp_path / "cache" / KEPT).iterdir())) == 1
    expected = outputs(tmp_path / "memory")
    assert outputs(tmp_path / "first") == outputs(tmp_path / "second") == expected


def test_a_damaged_cache_is_told_of(src: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    config = TrainAeConfig(
        src=src, out=tmp_path / "ae.safetensors", memory=TINY, cache=tmp_path / "cache", force=True,
        **TRAINING,
    )  # fmt: skip
    run = as_configured(train_ae.run)
    run(config)
    expected = config.out.read_bytes()
    (place,) = (tmp_path / "cache" / KEPT).iterdir()
    (place / PIXELS).write_bytes(b"")
    run(config, on_event=told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert f"{place} was damaged: the images have been decoded again" in notes
    assert config.out.read_bytes() == expected


def test_a_resumed_run_ends_in_the_same_bytes_whatever_memory_it_has(
    src: Path, tmp_path: Path
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    def config(out: str, **options: Any) -> AosTrainConfig:
        return AosTrainConfig(src=src, out=tmp_path / out / "c.safetensors", **TRAINING, **options)

    run = as_configured(aos_train.run)
    run(config("whole"))
    with pytest.raises(Interrupted):
        run(config("broken", resume=True, memory=TINY), on_event=stop)
    run(config("broken", resume=True))
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(config("again", resume=True), on_event=stop)
    run(config("again", resume=True, memory=TINY))
    assert outputs(tmp_path / "again") == outputs(tmp_path / "whole")
