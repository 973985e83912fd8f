"""Trackers are tested where they are installed: `pip install imbsynth[wandb,mlflow]`."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import TrainAeConfig
from imbsynth.configs.training import TRACKERS
from imbsynth.engine import train_ae
from imbsynth.engine.events import EpochDone, Event, silent
from imbsynth.errors import Interrupted, UserError
from imbsynth.store import tracking
from imbsynth.store.records import read_lines
from imbsynth.store.training_files import TrainingFiles
from tests.cli.test_commands import invoke
from tests.conftest import MakeFolder, contents

Steps = list[tuple[int, float]]


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {' and '.join(packages)}")


# What trackers warn of is theirs.
theirs = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def options(make_folder: MakeFolder) -> dict[str, Any]:
    src = make_folder({"a": 6, "b": 4})
    out = src.parent / "ae.safetensors"
    return {"src": src, "out": out, "latent_dim": 4, "epochs": 4, "device": "cpu"}


@pytest.fixture
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    store = f"sqlite:///{tmp_path / 'tracked.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    return store


@pytest.fixture
def wandb_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tracked").mkdir()
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "tracked"))
    return tmp_path / "tracked/wandb"


def stop_after_two_epochs(event: Event) -> None:
    if isinstance(event, EpochDone) and event.epoch == 2:
        os.kill(os.getpid(), signal.SIGTERM)


def train_in_two_parts(options: dict[str, Any], tracker: str) -> Steps:
    """Train, stop, and resume; what the log says of `recon_loss`."""
    with pytest.raises(Interrupted):
        train_ae.run(TrainAeConfig(track=tracker, **options), on_event=stop_after_two_epochs)
    train_ae.run(TrainAeConfig(track=tracker, resume=True, **options))
    lines = read_lines(options["out"].with_suffix(".jsonl"))
    return [(line["epoch"], line["recon_loss"]) for line in lines]


def mlflow_runs(store: str) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("imbsynth")
    return list(client.search_runs([experiment.experiment_id]))


def mlflow_steps(store: str, run: str) -> Steps:
    from mlflow.tracking import MlflowClient

    history = MlflowClient(store).get_metric_history(run, "recon_loss")
    return sorted((metric.step, metric.value) for metric in history)


@theirs
@needs("mlflow", "sqlalchemy", "alembic")
def test_mlflow_has_every_epoch_of_a_resumed_run_once(
    options: dict[str, Any], mlflow_store: str
) -> None:
    logged = train_in_two_parts(options, "mlflow")
    (run,) = mlflow_runs(mlflow_store)
    assert mlflow_steps(mlflow_store, run.info.run_id) == logged
    assert [step for step, _ in logged] == [1, 2, 3, 4]
    assert (run.info.run_name, run.info.status) == ("ae", "FINISHED")
    assert run.data.params["latent_dim"] == "4"


@theirs
@needs("mlflow", "sqlalchemy", "alembic")
def test_a_run_that_was_stopped_says_so_and_a_new_tracker_gets_all_epochs(
    options: dict[str, Any], mlflow_store: str
) -> None:
    with pytest.raises(Interrupted):
        train_ae.run(TrainAeConfig(**options), on_event=stop_after_two_epochs)
    with pytest.raises(Interrupted):
        train_ae.run(
            TrainAeConfig(track="mlflow", resume=True, **options),
            on_event=lambda event: (
                os.kill(os.getpid(), signal.SIGTERM)
                if isinstance(event, EpochDone)
                else silent(event)
            ),
        )
    (run,) = mlflow_runs(mlflow_store)
    assert run.info.status == "KILLED"
    assert [step for step, _ in mlflow_steps(mlflow_store, run.info.run_id)] == [1, 2, 3]


@theirs
@needs("mlflow", "sqlalchemy", "alembic")
def test_a_run_that_the_tracker_does_not_know_is_a_problem_with_a_fix(
    options: dict[str, Any],
    mlflow_store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Interrupted):
        train_ae.run(TrainAeConfig(track="mlflow", **options), on_event=stop_after_two_epochs)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(UserError, match=r"track mlflow: .*not found"):
        train_ae.run(TrainAeConfig(track="mlflow", resume=True, **options))
    assert options["out"].with_suffix(".state.safetensors").exists()


def wandb_records(file: Path) -> Iterator[bytes]:
    """The records of a run's file: LevelDB's log format, after a header of 7 bytes."""
    data, place, record = file.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:  # too short for a header: filled up
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


def whole(file: Path, kind: Any) -> list[Any]:
    """All records of a run, once its end is among them: another process writes them."""
    for _ in range(200):
        records = [kind.FromString(data) for data in wandb_records(file)]
        if records and records[-1].HasField("exit"):
            return records
        time.sleep(0.05)
    raise AssertionError(f"{file} has no end")


def wandb_steps(folder: Path) -> dict[str, Steps]:
    """{run: the steps of `recon_loss`}, of all offline files in the order of their time."""
    from wandb.proto.wandb_internal_pb2 import Record

    found: dict[str, Steps] = {}
    for file in sorted(folder.glob("offline-run-*/*.wandb")):
        steps = found.setdefault(file.stem, [])
        for record in whole(file, Record):
            items = {
                item.key or item.nested_key[0]: json.loads(item.value_json)
                for item in record.history.item
            }
            if items:
                steps.append((items["_step"], items["recon_loss"]))
    return found


@theirs
@needs("wandb")
def test_wandb_has_every_epoch_of_a_resumed_run_once(
    options: dict[str, Any], wandb_folder: Path
) -> None:
    logged = train_in_two_parts(options, "wandb")
    (steps,) = wandb_steps(wandb_folder).values()
    assert steps == logged
    assert len(list(wandb_folder.glob("offline-run-*"))) == 2


def test_without_the_package_the_fix_is_said_before_anything_is_read(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imbsynth.extras.find_spec", lambda name: None)
    before = contents(options["src"].parent)
    for tracker in TRACKERS:
        given = ["--out", str(options["out"]), "--track", tracker]
        code, out, err = invoke("train-ae", str(options["src"]), *given)
        assert (code, out) == (2, "")
        assert f"--track {tracker}: {tracker} cannot be imported" in err
        assert f"pip install imbsynth[{tracker}]" in err
    assert contents(options["src"].parent) == before


class Told:
    """A tracker in memory, to see what trackers are told."""

    def __init__(self, name: str, settings: Any, run: str | None) -> None:
        self.run = run or "new"
        self.epochs: list[tuple[int, float, dict[str, float]]] = []

    def log(self, numbers: Any, *, epoch: int, seconds: float) -> None:
        self.epochs.append((epoch, seconds, dict(numbers)))

    def close(self, *, complete: bool) -> None:
        self.epochs.append((-1, float(complete), {}))


def test_a_tracker_is_told_of_an_epoch_once_and_of_its_training_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(tracking._KINDS, "mlflow", Told)
    lines = [{"epoch": k, "seconds": 2.0, "loss": 1 / k, "recalls": [0.5]} for k in (1, 2, 3)]
    first = tracking.Tracking("mlflow", "ae", {}, {})
    state = first.header(lines[:2])
    assert state == {"tracked": {"tracker": "mlflow", "run": "new", "epochs": 2}}
    later = tracking.Tracking("mlflow", "ae", {}, state)
    later.send(lines[:2])
    later.send(lines)
    later.send(lines)
    told = later._tracker
    assert isinstance(told, Told)
    assert told.epochs == [(3, 6.0, {"loss": 1 / 3, "seconds": 2.0})]


class Silent(Told):
    """A tracker that does not answer in the end."""

    def close(self, *, complete: bool) -> None:
        super().close(complete=complete)
        raise UserError("no answer", "try again")


@pytest.mark.parametrize("kind", [Told, Silent])
def test_what_stopped_a_run_is_said_whatever_the_tracker_answers(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, kind: type[Told]
) -> None:
    """Also where a checkpoint of an earlier run is there, which --force would replace."""
    monkeypatch.setitem(tracking._KINDS, "mlflow", kind)
    files = TrainingFiles(TrainAeConfig(**options), frozenset())
    files.tracking = tracking.Tracking("mlflow", "ae", {}, {})

    def run() -> None:
        with files.claimed(resume=False, force=False):
            options["out"].write_bytes(b"of an earlier run")
            raise Interrupted(signal.SIGTERM)

    with pytest.raises(Interrupted):
        run()
    told = files.tracking._tracker
    assert isinstance(told, Told)
    assert told.epochs == [(-1, 0.0, {})]


def test_every_tracker_that_is_offered_is_there() -> None:
    assert list(tracking._KINDS) == list(TRACKERS)
