"""`train-ae`: train DeepSMOTE's encoder and decoder (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from imbsynth.configs import TrainAeConfig, check_decoder, check_size
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.autoencoder import KIND, TrainedAutoencoder, autoencoder_checkpoint
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.engine.training.autoencoder import AutoencoderTraining
from imbsynth.engine.training.history import images_per_second, read_history
from imbsynth.engine.training.loop import train
from imbsynth.errors import UserError
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.runtime import resolve_device, resolve_precision
from imbsynth.store.outputs import check_apart
from imbsynth.store.records import provenance
from imbsynth.store.training_files import TrainingFiles

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
    files = TrainingFiles(config, frozenset({"epochs", "patience"}))
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

        training = AutoencoderTraining(config, images, device, precision)
        train(training, files, made_by, on_event)
        if training.on_plateau:
            on_event(Note(f"no progress for {config.patience} epochs: stopped"))
        training.settle_statistics()

        coder = TrainedAutoencoder(training.model, device, precision)
        files.write_sheet(lambda path: _write_sheet(path, images, coder))
        meta = {"made_by": made_by, "classes": images.classes, "epochs": len(training.history)}
        files.finish(autoencoder_checkpoint(training.model, meta))
    return _report(config, files)


def _read(config: TrainAeConfig, on_event: OnEvent) -> Labelled:
    images = read_labelled(
        config.src,
        size=config.image_size,
        channels=config.channels,
        skip_unreadable=config.skip_unreadable,
        on_event=on_event,
    )
    check_size(images.pixels.shape[2:])
    check_decoder(config.decoder, images.pixels.shape[2:])
    if len(images.pixels) < 2:
        raise UserError(
            f"{config.src}: a single image: there is nothing to learn from", "add images"
        )
    return images


def _write_sheet(path: Path, images: Labelled, coder: TrainedAutoencoder) -> None:
    """Originals on the left, their reconstructions on the right, a row a class."""
    rows: list[SheetRow] = []
    for name, members in zip(images.classes, images.members(), strict=True):
        if len(rows) >= MAX_ROWS:
            rows.append(SheetRow(name, []))  # counted, not shown
            continue
        originals = images.pixels[members[:ON_SHEET]]
        decoded = coder.decode(coder.encode(torch.from_numpy(originals))).numpy()
        rows.append(SheetRow(name, [list(originals), list(decoded)]))
    write_sheet(path, rows, ["originals", "reconstructions"])


def _report(config: TrainAeConfig, files: TrainingFiles) -> Report:
    history = read_history(files.log, AutoencoderTraining.losses)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        recon_loss=history[-1]["recon_loss"],
        penalty_loss=history[-1]["penalty_loss"],
        images_per_second=images_per_second(history),
        stopped="epochs" if len(history) >= config.epochs else "plateau",
        log=files.log.as_posix(),
        sheet=files.sheet.as_posix(),
    )
