"""A head alone is trained: the backbone is frozen, and computes the features of images once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import AosTrainConfig
from imbsynth.core.batches import Indices
from imbsynth.core.mixing import Batch
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.features import (
    Features,
    logits_of_features,
    of_training,
    of_validation,
    views_of,
    views_that_fit,
)
from imbsynth.engine.training.states import Place
from imbsynth.models.heads import head_of
from imbsynth.runtime import arithmetic, stream


class FrozenTask(ClassifierTask):
    """Classify features. Each image has some views, as it is and augmented; a step shows one.

    Features follow from the weights of the backbone, the images and the seed: so a resumed run
    computes them again, and its state is that of any training.
    """

    def __init__(
        self, config: AosTrainConfig, material: Material, precision: str, on_event: OnEvent
    ) -> None:
        super().__init__(config, material, precision)
        _, self.head = head_of(self.model)
        # (rows,): the image among the views.
        self.image_of: Indices = np.unique(self.shown.identity, return_inverse=True)[1]
        self._compute_features(on_event)
        self.strategy = self.strategy._replace(augment=None)  # it is in the views
        self.precision = "fp32"  # of the head: small matrices, in which bf16 would be seen

    def _compute_features(self, on_event: OnEvent) -> None:
        augment, count = self.strategy.augment, self.config.views
        images = int(self.image_of.max()) + 1
        dim = self.head.in_features
        views = 1 if augment is None else views_that_fit(images, dim, count)
        done = 0
        on_event(Started("computing features", images * views + len(self.val.labels), "images"))

        def advance(more: int) -> None:
            nonlocal done
            done += more
            on_event(Advanced(done))

        self.model.eval()
        with arithmetic(self.device, self.precision):
            self.seen = of_training(self, on_progress=advance)
            self.views = views_of(self, self.seen, augment, count, advance)
            self.judged_on: Features = of_validation(self, advance)

    def _batch(self, rows: Indices, place: Place) -> Batch:
        rng = stream(self.config.seed, "aos-train", "views", place.epoch, place.step)
        features = self.views.seen(self.image_of[rows], rng.random(len(rows)))
        return Batch(features, self._targets(self.shown.labels[rows]))

    def _logits(self, features: Tensor) -> Tensor:
        return self.head(features)

    def judged(self) -> NDArray[np.float32]:
        """The same, from the features of the validation images."""
        with arithmetic(self.device, self.precision):
            return logits_of_features(self.head, self.judged_on)
