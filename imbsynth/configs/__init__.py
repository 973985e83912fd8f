"""What each command can be told: the one home of options, defaults and range checks."""

from imbsynth.configs.aos_train import DEFAULT_VAL_FRACTION, AosTrainConfig
from imbsynth.configs.audit import AuditConfig
from imbsynth.configs.balancing import BalancedConfig, Balancing
from imbsynth.configs.compare import CompareConfig
from imbsynth.configs.convert import ConvertConfig
from imbsynth.configs.deciding import Deciding
from imbsynth.configs.evaluate import EvaluateConfig
from imbsynth.configs.experiment import ASKED, Budget, ExperimentConfig
from imbsynth.configs.export import ExportConfig
from imbsynth.configs.fid import FidConfig
from imbsynth.configs.generate import GenerateConfig
from imbsynth.configs.generating import GUIDANCE, SAMPLING_STEPS
from imbsynth.configs.imbalance import ImbalanceConfig
from imbsynth.configs.inspect import InspectConfig
from imbsynth.configs.learning import Keep
from imbsynth.configs.predict import PredictConfig
from imbsynth.configs.report import ReportConfig
from imbsynth.configs.shared import STATE, Link
from imbsynth.configs.sizes import (
    MAX_CLASSIFIED_SIDE,
    MIN_SIDE,
    USUAL_PHOTOGRAPH,
    USUAL_SIDE,
    Fit,
    Size,
    check_decoder,
    check_size,
    size_text,
    within,
)
from imbsynth.configs.split import SplitConfig
from imbsynth.configs.synthesis import AUGMENT, RESIDUAL, Synthesis
from imbsynth.configs.train_ae import Decoder, TrainAeConfig
from imbsynth.configs.train_generator import TrainGeneratorConfig
from imbsynth.configs.values import MAX_PIXELS

__all__ = [
    "ASKED",
    "AUGMENT",
    "DEFAULT_VAL_FRACTION",
    "GUIDANCE",
    "MAX_CLASSIFIED_SIDE",
    "MAX_PIXELS",
    "MIN_SIDE",
    "RESIDUAL",
    "SAMPLING_STEPS",
    "STATE",
    "USUAL_PHOTOGRAPH",
    "USUAL_SIDE",
    "AosTrainConfig",
    "AuditConfig",
    "BalancedConfig",
    "Balancing",
    "Budget",
    "CompareConfig",
    "ConvertConfig",
    "Deciding",
    "Decoder",
    "EvaluateConfig",
    "ExperimentConfig",
    "ExportConfig",
    "FidConfig",
    "Fit",
    "GenerateConfig",
    "ImbalanceConfig",
    "InspectConfig",
    "Keep",
    "Link",
    "PredictConfig",
    "ReportConfig",
    "Size",
    "SplitConfig",
    "Synthesis",
    "TrainAeConfig",
    "TrainGeneratorConfig",
    "check_decoder",
    "check_size",
    "size_text",
    "within",
]
