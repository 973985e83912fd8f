"""Steps of a head alone, on features that were computed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor
from torch.nn import Linear

from imbsynth.configs import AosTrainConfig
from imbsynth.core.schedules import cosine
from imbsynth.core.tables import OPTIMISERS
from imbsynth.engine.events import Advanced, OnEvent, Started
from imbsynth.engine.training.optimisation import Optimisation

HeadState = dict[str, Tensor]
Batches = Iterator[tuple[Tensor, Tensor]]  # (n, d) features and (n,) labels
HeadLoss = Callable[[Tensor, Tensor], Tensor]  # (n, k) logits and (n,) labels -> the mean loss


def fit_head(
    head: Linear,
    batches: Callable[[int], Batches],
    steps: int,
    loss: HeadLoss,
    config: AosTrainConfig,
    on_event: OnEvent,
) -> None:
    """Train a head from its present weights for `head_epochs` epochs, by a cosine schedule.

    batches: those of an epoch, `steps` in number. The optimiser and its options are those of the
    training before.
    """
    build = OPTIMISERS[config.optimizer].with_options(config)
    optimisation = Optimisation(head.parameters(), build, config.lr, cosine)
    total = config.head_epochs * steps
    on_event(Started("training the head", total, "steps"))
    for epoch in range(config.head_epochs):
        for step, (features, labels) in enumerate(batches(epoch), epoch * steps):
            optimisation.step(loss(head(features).float(), labels), step / total)
        on_event(Advanced((epoch + 1) * steps, f"epoch {epoch + 1}"))
