"""`train-ae`: train DeepSMOTE's encoder and decoder (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from imbsynth.configs import TrainAeConfig, check_size, parse_size
from imbsynth.engine.autoencoder_training import LOSSES, Training
from imbsynth.engine.autoencoders import KIND, Coder, autoencoder_checkpoint
from imbsynth.engine.events import Advanced, EpochDone, Note, OnEvent, Started, silent
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.errors import UserError
from imbsynth.runtime import resolve_device, resolve_precision, stop_request
from imbsynth.store.checkpoints import Checkpoint
from imbsynth.store.outputs import check_apart
from imbsynth.store.records import provenance, read_lines
from imbsynth.store.sheets import MAX_ROWS, Row, write_sheet
from imbsynth.store.training_files import TrainingFiles

SAVE_EVERY = 60.0  # seconds between the states from which a run can go on
SHOW_EVERY = 0.5  # seconds between two looks at the losses, which on CUDA wait for the device
ON_SHEET = 8  # images a class on the reconstruction sheet


@dataclass(frozen=True)
class Report:
    """What `train-ae` prints."""

    checkpoint: str
    epochs: int
    recon_loss: float  # mean squared error of the last epoch, in units of the [0, 1] range
    penalty_loss: float  # likewise; 0 without a penalty
    images_per_second: float  # images of reconstruction batches over the training loop alone
    stopped: str  # "plateau" or "epochs"
    log: str
    sheet: str


def run(config: TrainAeConfig, *, on_event: OnEvent = silent) -> Report:
    """Train an autoencoder on a folder of images and write its checkpoint, log and sheet."""
    check_apart(config.src, config.out)
    files = TrainingFiles(config.out)
    with files.claimed(resume=config.resume, force=config.force):
        device = resolve_device(config.device)
        precision = resolve_precision(config.precision, device)
        images = _read(config, on_event)
        made_by = provenance(
            "train-ae",
            config,
            inputs={"src": images.digest},
            libraries=("numpy", "pillow", "torch"),
            resolved={"device": device.type, "precision": precision},
        )
        if config.resume and files.finished(made_by, KIND):
            on_event(Note(f"{config.out} is complete: nothing to do"))
            return _report(config, files)

        training = Training(config, images, device, precision)
        state = files.load_state(made_by) if config.resume else None
        if state is not None:
            _restore(training, state, files.state)
            on_event(Note(f"going on after {training.place}"))
        _train(training, files, made_by, on_event)
        files.save_state(training.state(), made_by)  # so that nothing below can lose the run
        training.settle_statistics()

        coder = Coder(training.model, device, precision, config.batch_size)
        files.write_log(training.history)
        files.write_sheet(lambda path: _write_sheet(path, images, coder))
        meta = {"made_by": made_by, "classes": images.classes, "epochs": len(training.history)}
        files.finish(autoencoder_checkpoint(training.model, meta))
    return _report(config, files)


def _read(config: TrainAeConfig, on_event: OnEvent) -> Labelled:
    images = read_labelled(
        config.src,
        size=parse_size(config.image_size),
        channels=None if config.channels == "auto" else int(config.channels),
        skip_unreadable=config.skip_unreadable,
        on_event=on_event,
    )
    check_size(images.pixels.shape[2:])
    if len(images.pixels) < 2:
        raise UserError(
            f"{config.src}: a single image: there is nothing to learn from", "add images"
        )
    return images


def _restore(training: Training, state: Checkpoint, path: Path) -> None:
    try:
        training.restore(state)
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{path}: the state of the run is damaged ({str(error).splitlines()[0]})",
            "start again with --force",
        ) from None


class _Every:
    """Says when so many seconds have passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


def _train(
    training: Training, files: TrainingFiles, made_by: dict[str, Any], on_event: OnEvent
) -> None:
    """Take steps until the run is over, saving the state now and then and when interrupted."""

    def save() -> None:
        training.check_finite()
        files.save_state(training.state(), made_by)

    epochs = training.config.epochs
    saving, showing = _Every(SAVE_EVERY), _Every(SHOW_EVERY)
    with stop_request() as request:
        on_event(Started("training", epochs * training.steps, "steps"))
        while not training.over:
            for batch, drawn in training.batches():
                training.take_step(batch, drawn)
                if showing.due():
                    on_event(_progress(training))
                if saving.due():
                    save()
                request.check(save)
            training.check_finite()
            line = training.end_epoch()
            losses = {name: line[name] for name in LOSSES}
            on_event(EpochDone(line["epoch"], epochs, losses, line["images_per_second"]))
    if training.on_plateau:
        on_event(Note(f"no progress for {training.config.patience} epochs: stopped"))


def _progress(training: Training) -> Advanced:
    losses = training.mean_losses()
    done = len(training.history) * training.steps + training.step
    detail = "  ".join(f"{name.removesuffix('_loss')} {losses[name]:.5f}" for name in LOSSES)
    return Advanced(done, f"epoch {len(training.history) + 1}  {detail}")


def _write_sheet(path: Path, images: Labelled, coder: Coder) -> None:
    """Originals on the left, their reconstructions on the right, a row a class."""
    rows: list[Row] = []
    for name, members in zip(images.classes, images.members(), strict=True):
        if len(rows) >= MAX_ROWS:
            rows.append(Row(name, []))  # counted, not shown
            continue
        originals = images.pixels[members[:ON_SHEET]]
        decoded = coder.decode(coder.encode(torch.from_numpy(originals))).numpy()
        rows.append(Row(name, [list(originals), list(decoded)]))
    write_sheet(path, rows, ["originals", "reconstructions"])


def _report(config: TrainAeConfig, files: TrainingFiles) -> Report:
    history = read_lines(files.log)
    last, seconds = history[-1], sum(line["seconds"] for line in history)
    images = sum(line["seconds"] * line["images_per_second"] for line in history)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        recon_loss=last["recon_loss"],
        penalty_loss=last["penalty_loss"],
        images_per_second=images / seconds,
        stopped="epochs" if len(history) >= config.epochs else "plateau",
        log=files.log.as_posix(),
        sheet=files.sheet.as_posix(),
    )
