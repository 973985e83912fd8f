"""Which synthetic images are kept: those that look like their class and are more than copies."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbsynth.configs import MAX_CLASSIFIED_SIDE, AuditConfig, GenerateConfig, check_size
from imbsynth.core.near_copies import near_copies, spacing
from imbsynth.core.pixels import to_unit
from imbsynth.core.plans import Plan
from imbsynth.engine.auditing.images import NEITHER
from imbsynth.engine.auditing.judge import trained_judges
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.reading import Labelled
from imbsynth.errors import UserError, option
from imbsynth.runtime import stream
from imbsynth.store.names import listing

SHOWN, MOST_EPOCHS = 10_000, 30  # images that a judge learns from, at least; passes, at most
UNLIKELY, NEAR_COPY = "unlikely", "near_copy"  # why an image is dropped


class Filter:
    """Two judges, each trained on half of the real images, and the real images of each class.

    An image is judged by the one that has not seen its heaviest parent. (It may have seen another
    parent: of what is made of both halves, neither has seen none.)
    """

    def __init__(
        self, config: GenerateConfig, images: Labelled, device: torch.device, on_event: OnEvent
    ) -> None:
        """Trains the judges; UserError for fewer than 2 classes with 2 images for them."""
        check_size(images.pixels.shape[2:], MAX_CLASSIFIED_SIDE, "a classifier")
        self.least, self.images, self.device = config.min_probability or 0.0, images, device
        members = images.members()
        self.judged = np.flatnonzero([len(own) >= 2 for own in members])  # classes
        self._explain(on_event)
        self.half = np.full(len(images.labels), NEITHER)
        for label in self.judged.tolist():
            rng = stream(config.seed, "generate", "half", images.classes[label])
            self.half[rng.permutation(members[label])] = np.arange(len(members[label])) % 2
        self.judges = trained_judges(
            images.of_classes(self.judged),
            self.half[self.half != NEITHER],
            self._epochs(),
            config.seed,
            device,
            on_event,
        )
        self._real: dict[int, tuple[Tensor, Tensor]] = {}  # of a class, and their spacing

    def reasons(self, label: int, plan: Plan, pixels: NDArray[np.uint8]) -> list[str]:
        """A `Check`. Images of a class with a single real one are all kept."""
        if label not in self.judged:
            return [""] * len(pixels)
        made = to_unit(torch.from_numpy(pixels).to(self.device))
        is_copy = near_copies(made, *self._real_images(label)).is_copy.cpu().numpy()
        likely = self._probabilities(label, plan, made) >= self.least
        return np.where(is_copy, NEAR_COPY, np.where(likely, "", UNLIKELY)).tolist()

    def _probabilities(self, label: int, plan: Plan, made: Tensor) -> NDArray[np.float64]:
        """(m,) probabilities of the class."""
        heaviest = np.abs(plan.weights).argmax(1)
        half = self.half[plan.parents[np.arange(len(heaviest)), heaviest]]
        output = int(np.searchsorted(self.judged, label))
        found = np.zeros(len(half))
        for side, model in enumerate(self.judges):
            asked = np.flatnonzero(half == 1 - side)
            with torch.inference_mode():
                logits = model(made[torch.from_numpy(asked).to(made.device)])
            found[asked] = logits.softmax(1)[:, output].cpu().numpy()
        return found

    def _real_images(self, label: int) -> tuple[Tensor, Tensor]:
        if label not in self._real:
            own = self.images.pixels[self.images.labels == label]
            real = to_unit(torch.from_numpy(own).to(self.device))
            self._real = {label: (real, spacing(real))}  # one class at a time
        return self._real[label]

    def _epochs(self) -> int:
        """More for few images, which `AuditConfig.epochs` epochs would show too seldom."""
        sizes = np.bincount(self.images.labels)[self.judged]
        shown = len(sizes) * int(sizes.max()) // 2  # by a judge per epoch, classes evened out
        return min(MOST_EPOCHS, max(AuditConfig.epochs, SHOWN // shown))

    def _explain(self, on_event: OnEvent) -> None:
        if len(self.judged) < 2:
            raise UserError(
                f"{option('min_probability')}: the judges need 2 classes of at least 2 images",
                f"leave out {option('min_probability')}, or give more images",
            )
        single = [
            name for label, name in enumerate(self.images.classes) if label not in self.judged
        ]
        if single:
            on_event(
                Note(f"a single real image is too few to judge by: class {listing(single)} is kept")
            )
