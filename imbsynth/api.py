"""One function per command, for notebooks and scripts: plain Python values in, a report out.

And `balanced`, for one's own training loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from imbsynth import configs
from imbsynth.engine.configured import as_configured
from imbsynth.options import command_name, option_fields

if TYPE_CHECKING:
    from imbsynth.engine import aos_train as _aos_train
    from imbsynth.engine import audit as _audit
    from imbsynth.engine import compare as _compare
    from imbsynth.engine import convert as _convert
    from imbsynth.engine import evaluate as _evaluate
    from imbsynth.engine import experiment as _experiment
    from imbsynth.engine import export as _export
    from imbsynth.engine import fid as _fid
    from imbsynth.engine import generate as _generate
    from imbsynth.engine import imbalance as _imbalance
    from imbsynth.engine import inspect as _inspect
    from imbsynth.engine import predict as _predict
    from imbsynth.engine import report as _report
    from imbsynth.engine import split as _split
    from imbsynth.engine import train_ae as _train_ae
    from imbsynth.engine import train_generator as _train_generator
    from imbsynth.engine.events import OnEvent
    from imbsynth.interop.dataset import Balanced, Transform

C = TypeVar("C")
R = TypeVar("R")


class Function(Generic[C, R]):
    """Runs a command on a config, or on the values of its fields; its engine is imported then."""

    def __init__(self, config: type[C]) -> None:
        self.config = config
        self.__name__ = self.__qualname__ = command_name(config).replace("-", "_")
        self.__doc__ = _described(config)
        self.__signature__ = _signature(config)

    def __call__(
        self, config: C | None = None, *, on_event: OnEvent | None = None, **values: Any
    ) -> R:
        """Run on `config`, or on the config of `values`; TypeError for both.

        on_event: called with every event of `imbsynth.engine.events`, such as an epoch's losses.
        Raises UserError for what the caller can fix: a value, a folder, a file.
        """
        if config is not None and values:
            raise TypeError(f"{self.__name__} takes a config or its fields, not both")
        chosen = self.config(**values) if config is None else config
        run: Callable[..., R] = as_configured(import_module(f"imbsynth.engine.{self.__name__}").run)
        return run(chosen) if on_event is None else run(chosen, on_event=on_event)

    def __repr__(self) -> str:
        return f"<function imbsynth.{self.__name__}{self.__signature__}>"


def _described(config: type) -> str:
    """The description of the command, and what each field means."""
    lines = [f"    {f.name}: {f.option.help}" for f in option_fields(config)]
    return "\n".join([inspect.getdoc(config) or "", "", "Fields:", *lines])


def _signature(config: type) -> inspect.Signature:
    """What an editor shows while the call is typed."""
    kind, empty = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty
    parameters = [
        inspect.Parameter(f.name, kind, default=empty if f.required else f.default)
        for f in option_fields(config)
    ]
    return inspect.Signature([*parameters, inspect.Parameter("on_event", kind, default=None)])


aos_train: Function[configs.AosTrainConfig, _aos_train.Report] = Function(configs.AosTrainConfig)
audit: Function[configs.AuditConfig, _audit.Report] = Function(configs.AuditConfig)
compare: Function[configs.CompareConfig, _compare.Report] = Function(configs.CompareConfig)
convert: Function[configs.ConvertConfig, _convert.Report] = Function(configs.ConvertConfig)
evaluate: Function[configs.EvaluateConfig, _evaluate.Report] = Function(configs.EvaluateConfig)
experiment: Function[configs.ExperimentConfig, _experiment.Report] = Function(
    configs.ExperimentConfig
)
export: Function[configs.ExportConfig, _export.Report] = Function(configs.ExportConfig)
fid: Function[configs.FidConfig, _fid.Report] = Function(configs.FidConfig)
generate: Function[configs.GenerateConfig, _generate.Report] = Function(configs.GenerateConfig)
imbalance: Function[configs.ImbalanceConfig, _imbalance.Report] = Function(configs.ImbalanceConfig)
inspect_: Function[configs.InspectConfig, _inspect.Report] = Function(configs.InspectConfig)
predict: Function[configs.PredictConfig, _predict.Report] = Function(configs.PredictConfig)
report: Function[configs.ReportConfig, _report.Report] = Function(configs.ReportConfig)
split: Function[configs.SplitConfig, _split.Report] = Function(configs.SplitConfig)
train_ae: Function[configs.TrainAeConfig, _train_ae.Report] = Function(configs.TrainAeConfig)
train_generator: Function[configs.TrainGeneratorConfig, _train_generator.Report] = Function(
    configs.TrainGeneratorConfig
)


def balanced(
    src: str | Path,
    *,
    transform: Transform | None = None,
    on_event: OnEvent | None = None,
    **options: Any,
) -> Balanced:
    """A folder as a PyTorch data set, balanced by synthetic images, and a sampler for it.

        dataset, sampler = imbsynth.balanced("photos/train", method="smote", seed=0)
        loader = torch.utils.data.DataLoader(dataset, 64, sampler=sampler, num_workers=2)

    src: a folder with one sub-folder of images per class. transform: from a (c, h, w) uint8 tensor
    to what a batch is made of; without one, float32 in [0, 1]. options: the fields of
    `imbsynth.configs.BalancedConfig`, which are the options of `generate` on images, and `fresh`:
    whether every epoch has synthetic images of its own (True) or all have the same.

    The same options and seed give the same images in the same order, with any number of workers.
    Raises UserError for what the caller can fix.
    """
    config = configs.BalancedConfig(src=Path(src), **options)
    chosen = {"transform": transform, "on_event": on_event}
    run = as_configured(import_module("imbsynth.interop.dataset").run)
    return run(config, **{name: value for name, value in chosen.items() if value is not None})
