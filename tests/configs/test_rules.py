from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import (
    AosTrainConfig,
    Deciding,
    FidConfig,
    GenerateConfig,
    ImbalanceConfig,
    PredictConfig,
    SplitConfig,
    TrainAeConfig,
    check_size,
)
from imbsynth.errors import UserError
from imbsynth.options import parsed, recorded

HERE = Path()
AE = Path("ae.safetensors")


@pytest.mark.parametrize("size", [(7, 8), (257, 8)])
def test_the_autoencoders_range_of_sizes(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="8 to 256"):
        check_size(size)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "0 ways"),
        ({"counts": (1, 2), "profile": "exp", "ratio": 2.0}, "2 ways"),
        ({"profile": "exp"}, "ratio"),
        ({"counts": (1, 2), "ratio": 3.0}, "ratio"),
        ({"profile": "exp", "ratio": 0.5}, "ratio is 0.5"),
        ({"profile": "exp", "ratio": float("nan")}, "ratio is nan"),
        ({"profile": "exp", "ratio": float("inf")}, "ratio is inf"),
        ({"minority_fraction": 1.5, "ratio": 3.0}, "minority_fraction is 1.5"),
        ({"counts": (1, 2), "seed": -1}, "seed"),
    ],
)
def test_imbalance_takes_one_way_in_range(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        ImbalanceConfig(src=HERE, dst=HERE, **options)


@pytest.mark.parametrize(
    "fractions",
    [(), (1.0,), (0.5, 0.6), (0.5, 0.5, 0.0), ("a", "b"), (0.9, 0.05, float("nan")), "0.8,0.2"],
)
def test_split_fractions_add_up(fractions: Any) -> None:
    with pytest.raises(UserError, match="fractions"):
        SplitConfig(src=HERE, dst=HERE, fractions=fractions)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epochs": 0}, "epochs"),
        ({"patience": -1}, "patience"),
        ({"batch_size": 1}, "batch_size"),
        ({"lr": 0.0}, "lr"),
        ({"lr": float("nan")}, "lr"),
        ({"latent_dim": -3}, "latent_dim"),
        ({"latent_dim": 0}, "latent_dim"),
        ({"penalty_weight": -1.0}, "penalty_weight"),
        ({"image_size": (7, 7)}, "8 to 256"),
        ({"device": "gpu"}, "device"),
        ({"out": Path("ae.pt")}, r"ae\.safetensors"),
        ({"resume": True, "force": True}, "resume and force"),
    ],
)
def test_train_ae_names_the_option_out_of_range(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        TrainAeConfig(**{"src": HERE, "out": AE, **options})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"k_neighbors": 0}, "k_neighbors"),
        ({"to": 0}, "to"),
        ({"to": 3, "per_class": Path("x")}, "to and per_class"),
        ({"ae": AE, "image_size": 28}, "image_size"),
        ({"reconstruct_originals": True}, "ae"),
        ({"reconstruct_originals": True, "ae": AE, "decode": "residual"}, "leave .* out"),
        ({"min_change": 0.1}, "min_change needs an autoencoder"),
        ({"ae": AE, "decode": "plain", "min_change": 0.1}, "min_change is for decode residual"),
        ({"method": "augment", "ae": AE}, "method augment changes pixels"),
        ({"lambda_range": (0.5, 0.2)}, "lambda_range"),
        ({"lambda_range": (0, 2)}, "lambda_range"),
        ({"strength": -1}, "strength"),
        ({"share": 1}, "share"),
        ({"share": 0.5, "to": 9}, "share and to"),
        ({"share": 0.5, "per_class": Path("x")}, "share and per_class"),
        ({"reconstruct_originals": True, "ae": AE, "synthetic_only": True}, "exclude each other"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_generate_names_what_does_not_go_together(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        GenerateConfig(src=HERE, dst=HERE, **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"features": "pixels", "weights": Path("w.pth")},
            "weights and resize",
        ),
        ({"features": "ae.safetensors", "resize": "clean"}, "weights and resize"),
        ({"image_size": 28}, "image_size goes with features pixels"),
        ({"plot": Path("x.pdf")}, r"plot x\.pdf"),
        ({"batch_size": 0}, "batch_size"),
        ({"device": "gpu"}, "device"),
    ],
)
def test_fid_names_what_does_not_go_together(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        FidConfig(**{"real": HERE, **options})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"share": 0.5}, "oversample aos makes none"),
        ({"oversample": "none", "ae": AE}, "oversample none makes none"),
        ({"oversample": "smote", "min_change": 0.1}, "needs an autoencoder"),
        ({"mix": "mixup", "split_norm": True}, "split_norm tells"),
        ({"mix": "mixup", "synthetic_weight": 0.5}, "synthetic_weight tells"),
        ({"real_last": 1}, "real_last"),
        ({"head_synthesis": "flow"}, "head_epochs is 0"),
    ],
)
def test_aos_train_names_what_does_not_go_together(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        AosTrainConfig(src=HERE, out=AE, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat=0.95", {"cat": 0.95}),
        ("a=1,b=0.5", {"a": 1.0, "b": 0.5}),
        ("a,b=0.9,c=d=.25", {"a,b": 0.9, "c=d": 0.25}),  # names of folders may be so
    ],
)
def test_wanted_recalls_are_read_whatever_the_class_is_called(
    text: str, expected: dict[str, float]
) -> None:
    assert parsed(AosTrainConfig, {"want-recall": text}) == {"want_recall": expected}
    config = AosTrainConfig(src=HERE, out=AE, want_recall=expected)
    again = parsed(AosTrainConfig, {"want-recall": recorded(config)["want_recall"]})
    assert again["want_recall"] == expected


def test_a_mapping_in_the_place_of_a_text_is_told_the_text() -> None:
    """YAML files take what the command line takes, and the fix must not name what they refuse."""
    with pytest.raises(UserError, match=r"e\.g\. cat=0\.95,dog=0\.9"):
        parsed(AosTrainConfig, {"want-recall": {"cat": 0.95}})


@pytest.mark.parametrize(
    "text", ["", "cat", "cat=", "=0.5", "cat=0", "cat=1.5", "cat=x", "cat=0.5,cat=0.6", "a=0.5,b"]
)
def test_what_is_no_wanted_recall_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"want_recall is .*\n.*give a recall in"):
        AosTrainConfig(src=HERE, out=AE, **parsed(AosTrainConfig, {"want_recall": text}))


@pytest.mark.parametrize("value", ["some", float("nan"), 11, True, None])
def test_tau_is_auto_or_a_number_in_range(value: Any) -> None:
    assert Deciding(tau="auto").tau == "auto"
    assert parsed(Deciding, {"tau": "-1.5"}) == {"tau": -1.5}
    with pytest.raises(UserError, match=r"tau is .*\n.*auto, or a number"):
        Deciding(tau=value)


def test_one_path_or_several_are_taken() -> None:
    def paths(src: Any) -> tuple[Path, ...]:
        return PredictConfig(checkpoint=AE, src=src, out=HERE / "out").src

    assert paths("a, b") == (Path("a, b"),)
    assert paths(["a", Path("b")]) == (Path("a"), Path("b"))
    for wrong in ([], 3, [3]):
        with pytest.raises(UserError, match="src is"):
            paths(wrong)


@pytest.mark.parametrize("checkpoint", ["ae", "generator"])
@pytest.mark.parametrize("options", [{"image_size": (8, 8)}, {"fit": "crop"}])
def test_a_checkpoint_brings_its_own_size_and_way_to_get_to_it(
    checkpoint: str, options: dict[str, Any]
) -> None:
    (name,) = options
    with pytest.raises(UserError, match=f"{name} goes without {checkpoint}") as caught:
        GenerateConfig(src=HERE, dst=HERE, **{checkpoint: AE, **options})
    assert caught.value.fix == f"leave {name} out"
