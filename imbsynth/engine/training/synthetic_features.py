"""The head, trained again on real and synthetic features of every class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear

from imbsynth.configs import AosTrainConfig
from imbsynth.core.feature_views import Views
from imbsynth.core.losses import balanced_softmax
from imbsynth.core.tables import FEATURE_SAMPLERS
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.training.head_fitting import Batches, HeadState, fit_head
from imbsynth.engine.training.states import weights_now
from imbsynth.runtime import stream

PER_CLASS, VALUES_AT_MOST = 1000, 1 << 27  # synthetic features; numbers in memory
HALF_BATCH = 128  # real, and as many synthetic ones: whatever the batch size of the training


def synthetic_features(views: Views, config: AosTrainConfig) -> Tensor:
    """(k, m, d): m features of each of k classes, m = PER_CLASS unless they take too much memory.

    None is below the lowest real value of its dimension: what follows a ReLU is never negative.
    """
    method = config.head_synthesis
    rng = stream(config.seed, "aos-train", "head", method)
    draw = FEATURE_SAMPLERS[method].with_options(config)(views, rng)
    classes, d = len(views.members), views.dim
    rows = np.arange(max(1, min(PER_CLASS, VALUES_AT_MOST // (classes * d))))
    made = [draw(label, rows) for label in range(classes)]
    lowest = torch.stack([some.amin(0) for some in views.blocks()]).amin(0)
    return torch.stack(made).clamp(min=lowest)


def trained_with_synthetic(
    head: Linear, views: Views, config: AosTrainConfig, on_event: OnEvent
) -> HeadState:
    """Balanced softmax from the head's present weights; half of every batch is synthetic.

    Classes are as frequent among synthetic features as among real ones, so that being synthetic
    says nothing about the class, and balanced softmax evens both out (Ren et al., 2020).
    """
    on_event(Note(f"drawing {config.head_synthesis} features"))
    made = synthetic_features(views, config)
    labels = torch.from_numpy(views.labels).to(made.device)
    counts = torch.bincount(labels)
    one_hot = torch.eye(len(counts), device=made.device)
    steps = -(-len(labels) // HALF_BATCH)

    def batches(epoch: int) -> Batches:
        rng = stream(config.seed, "aos-train", "head with features", epoch)
        for _ in range(steps):
            images, like = rng.integers(len(labels), size=(2, HALF_BATCH))
            real = views.seen(images, rng.random(HALF_BATCH))
            rows = torch.from_numpy(rng.integers(made.shape[1], size=HALF_BATCH)).to(made.device)
            synthetic = made[labels[like], rows]
            yield torch.cat([real, synthetic]), torch.cat([labels[images], labels[like]])

    def loss(logits: Tensor, given: Tensor) -> Tensor:
        return balanced_softmax(logits, one_hot[given], counts, 1.0).mean()

    fit_head(head, batches, steps, loss, config, on_event)
    return weights_now(head)
