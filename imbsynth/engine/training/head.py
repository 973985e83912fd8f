"""The head, trained again or rescaled when the rest is trained; validation chooses.

Kang et al. (2020): features of imbalanced training are good, and only the classifier above them
favours the large classes. Nothing here has to be resumed: it takes seconds, and starts from the
state that training has saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Linear, functional

from imbsynth.configs import AosTrainConfig
from imbsynth.core.batches import ByClass
from imbsynth.core.feature_views import Views
from imbsynth.core.paired import acsa_difference, image_variance
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.training.classifier import ClassifierTask
from imbsynth.engine.training.features import (
    Features,
    logits_of_features,
    of_training,
    of_validation,
    views_of,
)
from imbsynth.engine.training.frozen import FrozenTask
from imbsynth.engine.training.head_fitting import Batches, HeadState, fit_head
from imbsynth.engine.training.states import weights_now
from imbsynth.engine.training.synthetic_features import trained_with_synthetic
from imbsynth.errors import UserError, option
from imbsynth.models.classifiers import Classifier
from imbsynth.models.heads import CosineHead, head_of
from imbsynth.runtime import arithmetic, initialised, stream
from imbsynth.store.checkpoint_headers import CHOSEN_HEAD

TAUS = (0.25, 0.5, 0.75, 1.0)  # of the normalisation; 0 is the head as it is
MOST_VIEWS = 4  # of an image
Logits = NDArray[np.float32]
AS_TRAINED, RETRAINED = "as trained", "trained again"


class Choice(NamedTuple):
    """The network with the head that was best on the validation images."""

    name: str
    weights: dict[str, Tensor]  # of the whole network
    scores: dict[str, dict[str, Any]]  # of every head that was tried, by its name

    def meta(self) -> dict[str, Any]:
        """What the header of the checkpoint says of it; see `kept_scores`."""
        return {CHOSEN_HEAD: {"name": self.name, "scores": self.scores}}


def check_has_head(model: Classifier) -> None:
    """Raise UserError for a network without a last dense layer."""
    try:
        head_of(model)
    except ValueError as error:
        raise UserError(
            f"{option('head_epochs')} with {option('model')} {model.name}: {error}",
            f"use another {option('model')}, or leave out {option('head_epochs')}",
        ) from None


def choose_head(task: ClassifierTask, on_event: OnEvent) -> Choice:
    """The best epoch's network, with its head as trained, or with another one.

    The one with the highest mean recall (ACSA) on the validation images is taken; ties go to the
    lower loss, then to the earlier one. Not macro F1: among validation images, which are as
    imbalanced as the others, it is the precision of the rare classes that it follows. A head with
    synthetic features is taken unless it is worse by more than the standard error: a few images of
    a rare class would turn it down by chance.
    """
    method = task.config.head_synthesis
    if method == "none":
        states = heads_of(task, on_event)
    else:
        states = heads_with_features(task, [method], on_event)
    judged = judged_features(task)
    logits = {name: logits_of(task, state, judged) for name, state in states.items()}
    tried = {name: task.val.scores(found) for name, found in logits.items()}
    if method == "none":
        name = max(tried, key=lambda name: head_rank(tried[name]))
    else:
        before, after = logits[AS_TRAINED], logits[with_features(method)]
        name = AS_TRAINED if is_worse(after, before, task.val.labels) else with_features(method)
    head_of(task.model)[1].load_state_dict(states[name])
    recalls = ", ".join(f"{head} {scores['acsa']:.4f}" for head, scores in tried.items())
    on_event(Note(f"head: {name} (mean recall on the validation images: {recalls})"))
    return Choice(name, weights_now(task.model), tried)


def head_rank(scores: Mapping[str, Any]) -> tuple[float, float]:
    """What is larger for a better head."""
    return scores["acsa"], -scores["val_loss"]


def is_worse(found: Logits, other: Logits, labels: NDArray[np.int64]) -> bool:
    """Whether the mean recall of `found` is below that of `other` by over one standard error.

    (n, k) logits of the same images. Both are right about most of them, so the error is that of
    the paired difference.
    """
    right, other_right = found.argmax(1) == labels, other.argmax(1) == labels
    differences = right.astype(np.float64) - other_right
    by_class = [differences[labels == label] for label in np.unique(labels)]
    return acsa_difference(by_class) < -(image_variance(by_class) ** 0.5)


def heads_of(task: ClassifierTask, on_event: OnEvent) -> dict[str, HeadState]:
    """The head as trained, rescaled, and trained again on real features; by name."""
    head = _as_kept(task)
    states = {AS_TRAINED: weights_now(head)}
    if not isinstance(head, CosineHead):  # whose rows have the length 1 already
        states |= {f"tau {tau:g}": tau_normalised(states[AS_TRAINED], tau) for tau in TAUS}
    seen = _seen(task)
    with _for_the_head(task):
        states[RETRAINED] = retrained(head, seen, task.config, on_event)
    return states


def heads_with_features(
    task: ClassifierTask, methods: Sequence[str], on_event: OnEvent
) -> dict[str, HeadState]:
    """The head as trained, and trained again with the synthetic features of each method."""
    head = _as_kept(task)
    states = {AS_TRAINED: weights_now(head)}
    views = _views(task, _seen(task))
    for method in methods:
        head.load_state_dict(states[AS_TRAINED])
        config = replace(task.config, head_synthesis=method)
        with _for_the_head(task):
            states[with_features(method)] = trained_with_synthetic(head, views, config, on_event)
    return states


def logits_of(task: ClassifierTask, state: HeadState, judged: Features) -> Logits:
    """(n, k): what the network with this head says of features."""
    _, head = head_of(task.model)
    head.load_state_dict(state)
    with arithmetic(task.device, task.precision):
        return logits_of_features(head, judged)


def judged_features(task: ClassifierTask) -> Features:
    """Of the validation images."""
    if isinstance(task, FrozenTask):
        return task.judged_on
    with arithmetic(task.device, task.precision):
        return of_validation(task)


def _as_kept(task: ClassifierTask) -> Linear:
    """The head of the network, which gets the weights of the epoch that is kept."""
    task.model.load_state_dict(task.keeper.kept)
    task.model.eval()
    return head_of(task.model)[1]


def _for_the_head(task: ClassifierTask) -> AbstractContextManager[None]:
    """Its matrices are small, and bf16 would be seen in them."""
    return arithmetic(task.device, "fp32")


def _seen(task: ClassifierTask) -> Features:
    if isinstance(task, FrozenTask):
        return task.seen
    with arithmetic(task.device, task.precision):
        return of_training(task)


def _views(task: ClassifierTask, seen: Features) -> Views:
    """The images that are trained on, in some views."""
    if isinstance(task, FrozenTask):
        return task.views
    with arithmetic(task.device, task.precision):
        return views_of(task, seen, task.strategy.augment, MOST_VIEWS)


def with_features(method: str) -> str:
    """The name of the head that is trained on synthetic features too."""
    return f"trained again with {method} features"


def tau_normalised(state: HeadState, tau: float) -> HeadState:
    """w_k / ||w_k||^tau, without bias (Kang et al., 2020, section 4.3): (k, d) rows w_k.

    Rows of large classes are longer. All are multiplied by the mean length to the power tau, so
    that logits keep their size; predictions do not change by that.
    """
    lengths = state["weight"].norm(dim=1, keepdim=True).clamp(min=1e-12)
    scaled = state["weight"] * (lengths.mean() / lengths) ** tau
    return {name: scaled if name == "weight" else torch.zeros_like(v) for name, v in state.items()}


def retrained(head: Linear, seen: Features, config: AosTrainConfig, on_event: OnEvent) -> HeadState:
    """Classifier re-training (cRT; Kang et al., 2020, section 4.1): cross-entropy from the start.

    Every image of a batch is of a uniformly drawn class. The optimiser and its options are those of
    the training, with a cosine schedule. The features are computed once, so without augmentation.
    """
    initialised(lambda: _fresh(head), config.seed)
    classes = ByClass(seen.labels.cpu().numpy())
    steps = -(-len(seen.labels) // config.batch_size)

    def batches(epoch: int) -> Batches:
        rng = stream(config.seed, "aos-train", "head", epoch)
        for _ in range(steps):
            rows = torch.from_numpy(classes.draw(config.batch_size, rng)).to(seen.labels.device)
            yield seen.values[rows], seen.labels[rows]

    fit_head(head, batches, steps, functional.cross_entropy, config, on_event)
    return weights_now(head)


def _fresh(head: Linear) -> Linear:
    head.reset_parameters()
    return head
