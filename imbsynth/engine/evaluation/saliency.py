"""Which parts of the worst mistakes speak for a class: Grad-CAM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.core.pixels import to_unit
from imbsynth.engine.evaluation.extremes import rarest_first
from imbsynth.engine.evaluation.scores import Predictions
from imbsynth.engine.inference.classifier import at_once
from imbsynth.errors import UserError, option
from imbsynth.extras import check_extra
from imbsynth.figures.saliency import overlay
from imbsynth.figures.sheets import MAX_ROWS, SheetRow, write_sheet
from imbsynth.models.classifiers import Classifier
from imbsynth.models.last_map import check_has_map, last_map
from imbsynth.store.row_files import PixelArray

PER_CLASS = 3  # mistakes
MOST_AT_ONCE = 64  # images with gradients
HEADING = "worst mistakes; Grad-CAM of the predicted and of the true class"


def check_package() -> None:
    """Raise UserError unless the package that computes Grad-CAM is installed."""
    asked = option("saliency")
    check_extra("saliency", ["captum"], asked=asked, instead=f"leave out {asked}")


def check_network(model: Classifier) -> None:
    """Raise UserError for a network that Grad-CAM is not for."""
    try:
        check_has_map(model.name)
    except ValueError as error:
        raise UserError(
            f"{option('saliency')}: {error}, which Grad-CAM is for",
            f"leave out {option('saliency')}",
        ) from None


def write_saliency(path: Path, model: Classifier, tested: Predictions, pixels: PixelArray) -> None:
    """Draw the worst mistakes of each class, rare classes first; no file if there are none.

    Beside each image is what speaks for the class predicted, and what for the true one, with their
    probabilities. pixels: (n, c, h, w).
    """
    rows = [
        (k, worst) for k in rarest_first(tested.counts) if len(worst := _worst_mistakes(tested, k))
    ]
    sheet = [
        SheetRow(tested.classes[k], *_groups(model, tested, pixels, worst))
        for k, worst in rows[:MAX_ROWS]
    ]
    sheet += [SheetRow(tested.classes[k], []) for k, _ in rows[MAX_ROWS:]]  # counted, not shown
    if sheet:
        write_sheet(path, sheet, [HEADING])


def grad_cam(model: Classifier, pixels: Tensor, targets: Tensor) -> NDArray[np.float32]:
    """L_c = ReLU(sum_k a_k A_k), a_k the mean gradient of logit c in map A_k of the last maps.

    Selvaraju et al. (2017), equations 1 and 2, by captum; the map is enlarged bilinearly and
    divided by its highest value. (n, c, h, w) uint8 images and (n,) classes -> (n, h, w) in [0, 1];
    all 0 where nothing speaks for the class.
    """
    from captum.attr import LayerAttribution, LayerGradCam

    method = LayerGradCam(model, last_map(model))
    found = []
    size = at_once(pixels.shape[2:], MOST_AT_ONCE)
    for batch, classes in zip(pixels.split(size), targets.split(size), strict=True):
        images = to_unit(batch.to(model.mean.device))
        maps = method.attribute(images, classes.to(images.device), relu_attributions=True)
        maps = LayerAttribution.interpolate(maps, tuple(images.shape[2:]), "bilinear")
        found.append(maps.detach()[:, 0].float().cpu())
    heat = torch.cat(found)
    highest = heat.amax((1, 2), keepdim=True)
    return (heat / torch.where(highest > 0, highest, 1)).numpy()


def _worst_mistakes(tested: Predictions, label: int) -> NDArray[np.int64]:
    """Of the images of a class, those whose wrong class got the highest probability."""
    wrong = np.flatnonzero((tested.labels == label) & (tested.predicted != label))
    shares = tested.probabilities[wrong, tested.predicted[wrong]]
    return wrong[np.argsort(-shares, kind="stable")[:PER_CLASS]]


def _groups(
    model: Classifier, tested: Predictions, pixels: PixelArray, chosen: NDArray[np.int64]
) -> tuple[list[list[NDArray[np.uint8]]], list[list[str]]]:
    """A group per image: itself, and two maps on it; and the captions."""
    classes = np.stack([tested.predicted[chosen], tested.labels[chosen]], 1)  # (m, 2)
    twice = torch.from_numpy(pixels[np.repeat(chosen, 2)])
    heat = grad_cam(model, twice, torch.from_numpy(classes.ravel()))
    heat = heat.reshape(len(chosen), 2, *heat.shape[1:])
    groups, captions = [], []
    for i, maps, pair in zip(chosen, heat, classes.tolist(), strict=True):
        groups.append([pixels[i], *(overlay(pixels[i], one) for one in maps)])
        shares = tested.probabilities[i]
        captions.append(["", *(f"{shares[k]:.2f} {tested.classes[k]}" for k in pair)])
    return groups, captions
