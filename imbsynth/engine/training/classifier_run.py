"""A run of `aos-train`: the parts of the training of a classifier, put together."""

from __future__ import annotations

from collections.abc import Callable

from torch.nn import Parameter

from imbsynth.configs import AosTrainConfig
from imbsynth.core.schedules import warmed_up
from imbsynth.core.tables import LOSSES, OPTIMISERS, SCHEDULES
from imbsynth.engine.events import OnEvent, silent
from imbsynth.engine.inference.classifier import at_once
from imbsynth.engine.training.classifier import ClassifierTask, Material
from imbsynth.engine.training.features import MOST_AT_ONCE
from imbsynth.engine.training.frozen import FrozenTask
from imbsynth.engine.training.memory import Step
from imbsynth.engine.training.moves import moved_at_once
from imbsynth.engine.training.optimisation import Optimisation
from imbsynth.engine.training.trainer import Trainer
from imbsynth.models.classifiers import Classifier, ImageShape
from imbsynth.models.heads import head_of


def classifier_trainer(
    config: AosTrainConfig, material: Material, precision: str, on_event: OnEvent = silent
) -> Trainer[ClassifierTask]:
    """A run of `aos-train`, at its start."""
    if config.freeze:
        task: ClassifierTask = FrozenTask(config, material, precision, on_event)
    else:
        task = ClassifierTask(config, material, precision)
    trained, speed = _learned(config, task)
    optimisation = Optimisation(
        trained,
        OPTIMISERS[config.optimizer].with_options(config),
        config.lr,
        warmed_up(SCHEDULES[config.schedule].with_options(config), config.warm_up),
        rho=config.sam,
        speed=speed,
        world=task.world,
    )
    return Trainer(task, optimisation, config.epochs, task.device)


def _learned(
    config: AosTrainConfig, task: ClassifierTask
) -> tuple[list[Parameter], Callable[[Parameter], float]]:
    """The weights that learn, and how fast, in units of the learning rate."""
    weights = list(task.model.parameters())
    if config.pretrained is None:
        return weights, lambda _: 1.0
    head = list(head_of(task.model)[1].parameters())
    own = {id(weight) for weight in head}
    return (
        head if config.freeze else weights,
        lambda weight: 1.0 if id(weight) in own else config.backbone_lr,
    )


def classifier_step(config: AosTrainConfig, shape: ImageShape, classes: int) -> Step:
    """A step of such a run, for an estimate of its memory."""
    published = config.pretrained is not None
    head = LOSSES[config.loss].head
    return Step(
        lambda: Classifier(config.model, shape, classes, head, as_published=published),
        shape,
        at_once(shape[1:], MOST_AT_ONCE) if config.freeze else config.batch_size,
        passes=0 if config.freeze else 1,
        moved=moved_at_once(shape[1:]) if config.oversample == "aos" else 0,
    )


def may_change(config: AosTrainConfig) -> frozenset[str]:
    """The options that say when a run ends, and do not change a step before that."""
    entries = (LOSSES[config.loss], SCHEDULES[config.schedule])
    reads_progress = any(entry.reads_progress for entry in entries)
    if reads_progress or config.warm_up or config.defer is not None or config.real_last:
        return frozenset()
    return frozenset({"epochs"})
