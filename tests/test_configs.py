from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import (
    FidConfig,
    GenerateConfig,
    ImbalanceConfig,
    SplitConfig,
    TrainAeConfig,
    check_size,
    parse_size,
)
from imbsynth.errors import UserError

HERE = Path()
AE = Path("ae.safetensors")


@pytest.mark.parametrize(("text", "size"), [("auto", None), ("32", (32, 32)), ("28x40", (28, 40))])
def test_sizes_are_height_by_width(text: str, size: tuple[int, int] | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "28x", "-3", "0", "2.5", "28x0", "999999"])
def test_a_wrong_size_says_how_to_write_it(text: str) -> None:
    with pytest.raises(UserError, match="--image-size is"):
        parse_size(text)


@pytest.mark.parametrize("size", [(7, 8), (257, 8)])
def test_the_autoencoders_range_of_sizes(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="8 to 256"):
        check_size(size)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "0 ways"),
        ({"counts": "1,2", "profile": "exp", "ratio": 2.0}, "2 ways"),
        ({"profile": "exp"}, "--ratio"),
        ({"counts": "1,2", "ratio": 3.0}, "--ratio"),
        ({"profile": "exp", "ratio": 0.5}, "--ratio is 0.5"),
        ({"profile": "exp", "ratio": float("nan")}, "--ratio is nan"),
        ({"profile": "exp", "ratio": float("inf")}, "--ratio is inf"),
        ({"minority_fraction": 1.5, "ratio": 3.0}, "--minority-fraction is 1.5"),
        ({"counts": "1,2", "seed": -1}, "--seed"),
    ],
)
def test_imbalance_takes_one_way_in_range(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        ImbalanceConfig(src=HERE, dst=HERE, **options)


@pytest.mark.parametrize("fractions", ["", "1", "0.5,0.6", "0.5,0.5,0.0", "a,b", "0.9,0.05,nan"])
def test_split_fractions_add_up(fractions: str) -> None:
    with pytest.raises(UserError, match="--fractions"):
        SplitConfig(src=HERE, dst=HERE, fractions=fractions)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epochs": 0}, "--epochs"),
        ({"patience": -1}, "--patience"),
        ({"batch_size": 1}, "--batch-size"),
        ({"lr": 0.0}, "--lr"),
        ({"lr": float("nan")}, "--lr"),
        ({"latent_dim": -3}, "--latent-dim"),
        ({"latent_dim": 0}, "--latent-dim"),
        ({"penalty_weight": -1.0}, "--penalty-weight"),
        ({"image_size": "7"}, "8 to 256"),
        ({"device": "gpu"}, "--device"),
        ({"out": Path("ae.pt")}, r"ae\.safetensors"),
        ({"resume": True, "force": True}, "--resume and --force"),
    ],
)
def test_train_ae_names_the_option_out_of_range(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        TrainAeConfig(**{"src": HERE, "out": AE, **options})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"k_neighbors": 0}, "--k-neighbors"),
        ({"to": 0}, "--to"),
        ({"to": 3, "per_class": Path("x")}, "--to and --per-class"),
        ({"ae": AE, "image_size": "28"}, "--image-size"),
        ({"reconstruct_originals": True}, "--ae"),
        ({"reconstruct_originals": True, "ae": AE, "synthetic_only": True}, "exclude each other"),
        ({"batch_size": 0}, "--batch-size"),
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
            "--weights and --resize",
        ),
        ({"features": "ae.safetensors", "resize": "clean"}, "--weights and --resize"),
        ({"image_size": "28"}, "--image-size goes with --features pixels"),
        ({"plot": Path("x.pdf")}, r"--plot x\.pdf"),
        ({"batch_size": 0}, "--batch-size"),
        ({"device": "gpu"}, "--device"),
    ],
)
def test_fid_names_what_does_not_go_together(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        FidConfig(**{"real": HERE, **options})
