"""Balance an imbalanced folder of images by synthesising its rare classes.

One function per command, with plain Python values, and its config:

    import imbsynth

    report = imbsynth.generate(src="photos/train", dst="balanced", to=500)

For one's own code, `balanced` makes a PyTorch data set of a folder, and `ImageOverSampler` is a
sampler of imbalanced-learn.

`import imbsynth` imports nothing else; a function imports what it needs when it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from imbsynth.api import (
        aos_train,
        audit,
        balanced,
        compare,
        convert,
        evaluate,
        experiment,
        export,
        fid,
        generate,
        imbalance,
        predict,
        report,
        split,
        train_ae,
        train_generator,
    )
    from imbsynth.api import inspect_ as inspect
    from imbsynth.configs import (
        AosTrainConfig,
        AuditConfig,
        CompareConfig,
        ConvertConfig,
        EvaluateConfig,
        ExperimentConfig,
        ExportConfig,
        FidConfig,
        GenerateConfig,
        ImbalanceConfig,
        InspectConfig,
        PredictConfig,
        ReportConfig,
        SplitConfig,
        TrainAeConfig,
        TrainGeneratorConfig,
    )
    from imbsynth.errors import UserError
    from imbsynth.interop.resampler import ImageOverSampler

__all__ = [
    "AosTrainConfig",
    "AuditConfig",
    "CompareConfig",
    "ConvertConfig",
    "EvaluateConfig",
    "ExperimentConfig",
    "ExportConfig",
    "FidConfig",
    "GenerateConfig",
    "ImageOverSampler",
    "ImbalanceConfig",
    "InspectConfig",
    "PredictConfig",
    "ReportConfig",
    "SplitConfig",
    "TrainAeConfig",
    "TrainGeneratorConfig",
    "UserError",
    "__version__",
    "aos_train",
    "audit",
    "balanced",
    "compare",
    "convert",
    "evaluate",
    "experiment",
    "export",
    "fid",
    "generate",
    "imbalance",
    "inspect",
    "predict",
    "report",
    "split",
    "train_ae",
    "train_generator",
]

_HOMES = {"UserError": "imbsynth.errors", "ImageOverSampler": "imbsynth.interop.resampler"}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOMES:
        home = _HOMES[name]
    else:
        home = "imbsynth.configs" if name.endswith("Config") else "imbsynth.api"
    found = getattr(import_module(home), "inspect_" if name == "inspect" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
