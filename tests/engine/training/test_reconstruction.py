from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from imbsynth.configs import GenerateConfig, TrainAeConfig
from imbsynth.engine import generate, train_ae
from imbsynth.engine.events import Event, Note
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.training.reconstruction import Reconstruction, reconstruction_of
from imbsynth.models.autoencoder import Autoencoder, AutoencoderShape
from imbsynth.store.checkpoints import load_checkpoint

SAMPLES = Path(__file__).parents[3] / "sample_data/train"


def pixels(n: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    shades = rng.integers(60, 200, (n, 1, 1, 1))
    return (shades + rng.integers(-20, 20, (n, 1, 16, 16))).astype(np.uint8)


def untrained() -> TrainedAutoencoder:
    model = Autoencoder(AutoencoderShape(1, 16, 16, 24)).eval()
    return TrainedAutoencoder(model, torch.device("cpu"), "fp32")


def test_simpler_ways_are_measured_on_the_same_images() -> None:
    images, autoencoder = pixels(50), untrained()
    found = reconstruction_of(autoencoder, images, 0)
    flat = images.reshape(50, -1) / 255
    decoded = autoencoder.decode_unrounded(autoencoder.encode(torch.from_numpy(images))).numpy()
    assert found.loss == pytest.approx(((decoded - images / 255) ** 2).mean(), rel=1e-5)
    assert found.mean_image == pytest.approx(flat.var(0).mean(), rel=1e-5)
    fitted = PCA(24).fit(flat)
    again = fitted.inverse_transform(fitted.transform(flat))
    assert found.principal == pytest.approx(((again - flat) ** 2).mean(), rel=1e-3)


def test_an_untrained_autoencoder_is_poor() -> None:
    found = reconstruction_of(untrained(), pixels(50), 0)
    assert found.components == 0  # not better than the mean image
    assert found.poor


@pytest.mark.parametrize(
    ("components", "told"),
    [
        (0, "0.0800 and that of the mean image 0.0500; train for more"),
        (1, "(the mean image's 0.0500), which one principal component reaches as well as the 300"),
        (2, "which 2 principal components reach as well as the 300 numbers"),
    ],
)
def test_what_is_said_of_poor_reconstructions(components: int, told: str) -> None:
    found = Reconstruction(0.08, 0.05, 0.01, components, poor=True)
    assert told in found.warning(300)


def test_a_poor_autoencoder_is_said_to_be_poor(tmp_path: Path) -> None:
    heard: list[Event] = []
    config = TrainAeConfig(src=SAMPLES, out=tmp_path / "ae.safetensors", epochs=1, device="cpu")
    report = train_ae.run(config, on_event=heard.append)
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert report.reconstruction is not None
    assert report.reconstruction["poor"]
    assert any(text.startswith("poor reconstructions: their mean squared error") for text in notes)
    assert load_checkpoint(config.out, "train-ae").meta["reconstruction"] == report.reconstruction
    made = GenerateConfig(src=SAMPLES, dst=tmp_path / "made", ae=config.out, device="cpu")
    generate.run(made, on_event=heard.append)
    (note,) = [
        event.text for event in heard if isinstance(event, Note) and "no better" in event.text
    ]
    assert note.startswith(f"{config.out}: poor reconstructions, as train-ae has said:")
