"""Whether a classifier can be trained on a folder, by what is known before its images are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imbsynth.configs import AosTrainConfig
from imbsynth.core.tables import LOSSES
from imbsynth.engine.inference.classifier import sketch
from imbsynth.engine.inference.fits import fit_of
from imbsynth.engine.inference.pretrained import Backbone, fitting
from imbsynth.engine.previews import Preview
from imbsynth.engine.training.classifier_run import classifier_step
from imbsynth.engine.training.fitting import check_wanted
from imbsynth.engine.training.holding_out import check_validation
from imbsynth.engine.training.memory import check_memory
from imbsynth.errors import UserError, option
from imbsynth.models.autoencoder import Autoencoder
from imbsynth.models.classifiers import ImageShape
from imbsynth.runtime import resolve_device
from imbsynth.store.levels import advice
from imbsynth.store.names import listing


def check_feasible(
    config: AosTrainConfig,
    autoencoder: Autoencoder | None,
    backbone: Backbone | None,
    preview: Preview,
) -> None:
    """Raise UserError unless there are classes to tell apart, and a network and memory for it.

    autoencoder: in whose latent space samplers work, if not on pixels. backbone: the weights that
    the network starts from, if they are not random.
    """
    classes = list(preview.folder.files)
    if len(classes) < 2:
        raise UserError(
            f"{config.src}: one class, {listing(classes)}: there is nothing to tell apart",
            advice(preview.folder, "give a folder with two classes or more"),
        )
    check_wanted(config.want_recall, classes)
    if config.val is not None:
        check_validation(config.val, classes, allow_overlap=config.allow_overlap)
    if preview.size is None:
        return
    shape = ImageShape(config.channels or 3, *preview.size)
    head = LOSSES[config.loss].head
    model = sketch(config.model, shape, len(classes), head, as_published=backbone is not None)
    if backbone is not None:
        fitting(model, backbone)
    if autoencoder is not None and config.ae is not None:
        channels = config.channels or autoencoder.shape.channels
        check_fits(autoencoder, (channels, *preview.size))
        check_same_fit(config, config.ae)
    check_memory(
        classifier_step(config, shape, len(classes)),
        sum(preview.folder.counts.values()),
        resolve_device(config.device),
    )


def check_same_fit(config: AosTrainConfig, ae: Path) -> None:
    """Raise UserError unless the autoencoder has seen images cropped, padded or squashed alike."""
    if config.sized and fit_of(ae) != config.fit:
        raise UserError(
            f"the autoencoder was trained with {option('fit')} {fit_of(ae)}, and {option('fit')} "
            f"is {config.fit}",
            f"give {option('fit')} {fit_of(ae)}, or train another autoencoder",
        )


def check_fits(autoencoder: Autoencoder, here: Sequence[int]) -> None:
    """Raise UserError unless the autoencoder makes images of (c, h, w)."""
    shape = autoencoder.shape
    made = (shape.channels, shape.height, shape.width)
    if tuple(here) != made:
        raise UserError(
            f"the autoencoder makes images of {made[1]}x{made[2]} with {made[0]} channels, and "
            f"these have {here[1]}x{here[2]} with {here[0]}",
            f"use the autoencoder's: {option('image_size')} and {option('channels')}",
        )
