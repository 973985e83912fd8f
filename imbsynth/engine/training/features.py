"""What the head of a classifier sees: the features of images, under the present weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Linear

from imbsynth.core.augmentation import Augmentation
from imbsynth.core.feature_views import Views
from imbsynth.engine.inference.classifier import at_once
from imbsynth.engine.training.buffers import DeviceBuffer, buffer_on
from imbsynth.engine.training.classifier import ClassifierTask
from imbsynth.models.heads import head_of
from imbsynth.runtime import stream
from imbsynth.store.row_files import Form

MOST_AT_ONCE = 1000  # images
VALUES_AT_MOST = 1 << 28  # numbers in all views, if that is more than two

OnProgress = Callable[[int], None]  # told how many images were done


class Features(NamedTuple):
    """What the head sees of images."""

    values: DeviceBuffer  # (n, d) float32
    labels: Tensor  # (n,) int64, on the device


def of_training(
    task: ClassifierTask,
    change: Callable[[Tensor], Tensor] = lambda images: images,
    on_progress: OnProgress = lambda _: None,
) -> Features:
    """Of every image that is trained on, once however often it was copied, and not moved.

    change: what is done to images before.
    """
    _, rows = np.unique(task.shown.identity, return_index=True)
    labels = torch.from_numpy(task.shown.labels[rows])
    return _features(
        task, labels, lambda places: change(task.shown.images(rows[places])), on_progress
    )


def of_validation(task: ClassifierTask, on_progress: OnProgress = lambda _: None) -> Features:
    """Of the validation images."""
    labels = torch.from_numpy(task.val.labels)
    images = task.val.images
    return _features(task, labels, lambda places: images(places, task.device), on_progress)


def views_of(
    task: ClassifierTask,
    seen: Features,
    augment: Augmentation | None,
    count: int,
    on_progress: OnProgress = lambda _: None,
) -> Views:
    """The images that are trained on, as they are (`seen`) and augmented as in training.

    All have the same number of views, `count` or what fits into memory, so that being augmented
    says nothing about the class. Without augmentation there is one.
    """
    values = [seen.values]
    if augment is not None:
        images, dim = seen.values.shape
        most = views_that_fit(images, dim, count)
        values += [_augmented(task, augment, view, on_progress) for view in range(1, most)]
    return Views(values, seen.labels.cpu().numpy())


def views_that_fit(images: int, dim: int, count: int) -> int:
    """`count` views, or fewer, at least 2, where features of that length would take too much."""
    return min(count, max(2, VALUES_AT_MOST // (images * dim)))


def _augmented(
    task: ClassifierTask, augment: Augmentation, view: int, on_progress: OnProgress
) -> DeviceBuffer:
    rng = stream(task.config.seed, "aos-train", "head", "view", view)
    return of_training(task, lambda images: augment(images, rng), on_progress).values


def _features(
    task: ClassifierTask,
    labels: Tensor,
    images_of: Callable[[slice], Tensor],
    on_progress: OnProgress,
) -> Features:
    count = at_once(task.model.shape[1:], MOST_AT_ONCE)
    form = Form((head_of(task.model)[1].in_features,), np.float32)
    values = buffer_on(task.device, form, len(labels), f"features of {len(labels)} images")
    with torch.inference_mode():
        for start in range(0, len(labels), count):
            images = images_of(slice(start, start + count))
            own = task.model.features(images[task.world.share(len(images))]).float()
            values[start : start + len(images)] = task.world.whole(own, len(images))
            on_progress(len(images))
    return Features(values, labels.to(task.device))


def logits_of_features(head: Linear, features: Features) -> NDArray[np.float32]:
    """(n, k): what a head says of features."""
    with torch.inference_mode():
        parts = [head(part).float().cpu() for part in features.values.split(MOST_AT_ONCE)]
    return torch.cat(parts).numpy()
