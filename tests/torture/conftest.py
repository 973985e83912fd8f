"""Checkpoints that the bench reads: made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.engine import aos_train, train_ae
from tests.conftest import draw_image


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An autoencoder and a classifier of 8x8 colour images, classes odd and plain."""
    folder = tmp_path_factory.mktemp("checkpoints")
    src = folder / "src"
    for label, name in enumerate(("odd", "plain")):
        (src / name).mkdir(parents=True)
        for i in range(6):
            draw_image(5000 + 100 * label + i, 8, 8, "RGB").save(src / name / f"{i}.png")
    found = {"ae": folder / "ae.safetensors", "clf": folder / "clf.safetensors"}
    train_ae.run(TrainAeConfig(src=src, out=found["ae"], epochs=1, latent_dim=4, device="cpu"))
    aos_train.run(AosTrainConfig(src=src, out=found["clf"], epochs=1, device="cpu"))
    return found
