from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from imbsynth.engine.inference.autoencoder import (
    TrainedAutoencoder,
    autoencoder_checkpoint,
    load_autoencoder,
)
from imbsynth.errors import UserError
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.store.checkpoints import save_checkpoint

SHAPE = AutoencoderShape(1, 9, 8, 4)


def test_a_checkpoint_holds_the_whole_network(tmp_path: Path) -> None:
    model = Autoencoder(SHAPE).eval()
    save_checkpoint(tmp_path / "ae.safetensors", autoencoder_checkpoint(model, {}))
    loaded = load_autoencoder(tmp_path / "ae.safetensors").eval()
    images = torch.rand(3, 1, 9, 8)
    torch.testing.assert_close(loaded(images), model(images))


@pytest.mark.parametrize(
    "shape",
    [
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 10**9},
        {"channels": 1, "height": 10**9, "width": 8, "latent_dim": 4},
        {"channels": 2, "height": 9, "width": 8, "latent_dim": 4},
        {"channels": 1, "height": 9, "width": 8},
        {"channels": 1, "height": "9", "width": 8, "latent_dim": 4},
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 5},
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 4, "decoder": "other"},
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 4, "decoder": "script"},
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 4, "decoder": ["script"]},
        {"channels": 1, "height": 9, "width": 8, "latent_dim": 4, "overshoots": 1},
        [1, 9, 8, 4],
    ],
)
def test_a_header_that_does_not_fit_is_refused_without_building_it(
    tmp_path: Path, shape: Any
) -> None:
    meta = json.dumps({"kind": "train-ae", "shape": shape})
    tensors = {name: value.contiguous() for name, value in Autoencoder(SHAPE).state_dict().items()}
    save_file(tensors, tmp_path / "ae.safetensors", {"imbsynth": meta})
    with pytest.raises(UserError, match=r"ae\.safetensors"):
        load_autoencoder(tmp_path / "ae.safetensors")


def test_a_checkpoint_of_a_newer_version_is_no_damaged_one(tmp_path: Path) -> None:
    """What an older version leaves out makes other images of the same tensors."""
    checkpoint = autoencoder_checkpoint(Autoencoder(SHAPE), {})
    checkpoint.meta["shape"]["layers"] = 7
    save_checkpoint(tmp_path / "ae.safetensors", checkpoint)
    with pytest.raises(UserError, match=r"what layers of an .* newer .*\n  fix: update imbsynth"):
        load_autoencoder(tmp_path / "ae.safetensors")


def test_an_image_in_its_place_gives_the_same_bytes_whatever_shares_the_batch() -> None:
    pixels = torch.randint(0, 256, (200, 1, 9, 8), dtype=torch.uint8)
    autoencoder = TrainedAutoencoder(Autoencoder(SHAPE), torch.device("cpu"), "fp32")
    assert autoencoder.images_at_once == 128
    latents = autoencoder.encode(pixels)
    assert latents.shape == (200, 4)
    decoded = autoencoder.decode(latents)
    assert decoded.shape == pixels.shape
    for count in (1, 63, 64, 65, 130):
        assert torch.equal(autoencoder.encode(pixels[:count]), latents[:count])
        assert torch.equal(autoencoder.decode(latents[:count]), decoded[:count])
    with torch.inference_mode():
        plain = autoencoder.model.encode(pixels.float() / 255)
    torch.testing.assert_close(latents, plain, rtol=1e-4, atol=1e-5)
