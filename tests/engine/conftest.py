"""What tests of several commands need."""

from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.engine.inference.autoencoder import autoencoder_checkpoint
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.runtime import initialised
from imbsynth.store.checkpoints import save_checkpoint


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A checkpoint of an autoencoder for 8x8 gray images, with random weights."""
    model = initialised(lambda: Autoencoder(AutoencoderShape(1, 8, 8, 4)), 0)
    path = tmp_path / "ae.safetensors"
    save_checkpoint(path, autoencoder_checkpoint(model, {}))
    return path
