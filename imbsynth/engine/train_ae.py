"""`train-ae`: train DeepSMOTE's encoder and decoder (Dablain et al., 2022, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from imbsynth.configs import USUAL_SIDE, TrainAeConfig, check_decoder, check_size
from imbsynth.engine.events import Note, OnEvent, silent
from imbsynth.engine.inference.autoencoder import KIND, TrainedAutoencoder, autoencoder_checkpoint
from imbsynth.engine.inference.fits import FIT
from imbsynth.engine.manifest import refuse_synthetic
from imbsynth.engine.previews import Fits, Preview
from imbsynth.engine.reading import Labelled
from imbsynth.engine.training.autoencoder import (
    LOSSES,
    AutoencoderTask,
    autoencoder_step,
    autoencoder_trainer,
)
from imbsynth.engine.training.command import TrainingCommand, TrainingOutput
from imbsynth.engine.training.history import images_per_second, read_history
from imbsynth.engine.training.memory import check_memory
from imbsynth.engine.training.reconstruction import reconstruction_of
from imbsynth.engine.training.trainer import Trainer
from imbsynth.errors import UserError
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.runtime import resolve_device
from imbsynth.store.checkpoint_headers import read_header
from imbsynth.store.training_files import TrainingFiles

ON_SHEET = 8  # images per class on the reconstruction sheet


@dataclass(frozen=True)
class Report:
    """What `train-ae` prints."""

    checkpoint: str
    epochs: int
    recon_loss: float  # of the last epoch, in units of the [0, 1] range
    penalty_loss: float  # likewise; 0 without a penalty
    reconstruction: dict[str, Any] | None  # see `Reconstruction`; None: version 0.1 wrote none
    images_per_second: float  # images of reconstruction batches over the training loop alone
    stopped: str  # "plateau" or "epochs"
    log: str
    sheet: str


def run(config: TrainAeConfig, *, on_event: OnEvent = silent) -> Report:
    """Train an autoencoder on a folder of images and write its checkpoint, log and sheet."""
    refuse_synthetic(config.src)
    return TrainAe(config).carry_out(on_event, partial(_report, config))


class TrainAe(TrainingCommand[TrainAeConfig, Labelled, AutoencoderTask]):
    """The steps of `train-ae`."""

    name, libraries = KIND, ("numpy", "pillow", "torch")

    def may_change(self) -> frozenset[str]:
        """How long it goes on does not change a step."""
        return frozenset({"epochs", "patience"})

    def read(self, on_event: OnEvent) -> Labelled:
        """The images; UserError if no autoencoder can be built for them."""
        images = self.read_src(on_event, Fits(self._check, USUAL_SIDE))
        self._check_size(images.pixels.shape[2:])
        if len(images.pixels) < 2:
            raise UserError(
                f"{self.config.src}: a single image: there is nothing to learn from", "add images"
            )
        return images

    def _check(self, preview: Preview) -> None:
        if preview.size is None:
            return
        self._check_size(preview.size)
        check_memory(
            autoencoder_step(self.config, (self.config.channels or 3, *preview.size)),
            sum(preview.folder.counts.values()),
            resolve_device(self.config.device),
        )

    def _check_size(self, size: Sequence[int]) -> None:
        check_size(size)
        check_decoder(self.config.decoder, size)

    def images(self, data: Labelled) -> dict[str, Labelled]:
        """The one folder."""
        return {"src": data}

    def trainer(
        self, data: Labelled, device: torch.device, precision: str, _on_event: OnEvent
    ) -> Trainer[AutoencoderTask]:
        """The run, at its start."""
        return autoencoder_trainer(self.config, data, device, precision)

    def result(
        self,
        trainer: Trainer[AutoencoderTask],
        data: Labelled,
        made_by: dict[str, Any],
        on_event: OnEvent,
    ) -> TrainingOutput:
        """The autoencoder, and what it makes of the first images of each class."""
        task = trainer.task
        if task.is_over(trainer.history):
            on_event(Note(f"no progress for {self.config.patience} epochs: stopped"))
        task.recompute_statistics()
        autoencoder = TrainedAutoencoder(task.model, task.device, task.precision)
        found = reconstruction_of(autoencoder, data.pixels, self.config.seed)
        if found.poor:
            on_event(Note(found.warning(autoencoder.model.shape.latent_dim)))
        meta = {
            "made_by": made_by,
            "classes": data.classes,
            "epochs": len(trainer.history),
            FIT: self.config.fit,
        }
        checkpoint = autoencoder_checkpoint(task.model, meta | found.meta(), data.identities())
        return TrainingOutput(
            partial(_write_sheet, images=data, autoencoder=autoencoder), checkpoint
        )


def _write_sheet(path: Path, images: Labelled, autoencoder: TrainedAutoencoder) -> None:
    """Originals on the left, their reconstructions on the right, a row per class."""
    rows: list[SheetRow] = []
    for name, members in zip(images.classes, images.members(), strict=True):
        if len(rows) >= MAX_ROWS:
            rows.append(SheetRow(name, []))  # counted, not shown
            continue
        originals = images.pixels[members[:ON_SHEET]]
        decoded = autoencoder.decode(autoencoder.encode(torch.from_numpy(originals))).numpy()
        rows.append(SheetRow(name, [list(originals), list(decoded)]))
    write_sheet(path, rows, ["originals", "reconstructions"])


def _report(config: TrainAeConfig, files: TrainingFiles) -> Report:
    history = read_history(files.log, LOSSES)
    return Report(
        checkpoint=files.checkpoint.as_posix(),
        epochs=len(history),
        recon_loss=history[-1]["recon_loss"],
        penalty_loss=history[-1]["penalty_loss"],
        reconstruction=read_header(files.checkpoint).get("reconstruction"),
        images_per_second=images_per_second(history),
        stopped="epochs" if len(history) >= config.epochs else "plateau",
        log=files.log.as_posix(),
        sheet=files.sheet.as_posix(),
    )
