"""The network with random weights, beside torch-fidelity's own forward pass."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch_fidelity.interpolate_compat_tensorflow import (
    interpolate_bilinear_2d_like_tensorflow1x,
)

from imbsynth.engine.distances.inception import load_inception
from imbsynth.engine.events import silent
from imbsynth.errors import UserError
from imbsynth.models.inception import (
    DIM,
    Inception,
    _Reference,
    block_tensors,
    from_sequence,
    resize_clean,
    resize_tf1,
)
from imbsynth.runtime import initialised
from imbsynth.store.folders import digest_of
from imbsynth.store.weights import Published, named_tensors, tensors_of_archive


def bytes_in(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@pytest.fixture(scope="module")
def reference() -> _Reference:
    """torch-fidelity's network with random weights, and statistics that are not the identity."""

    def build() -> _Reference:
        network = _Reference()
        for name, value in network.state_dict().items():
            if name.endswith(("running_var", "bn.weight")):
                value.uniform_(0.5, 1.5)
            elif name.endswith(("running_mean", "bn.bias")):
                value.normal_(0, 0.1)
        return network

    return initialised(build, 0)


def test_features_are_torch_fidelitys(reference: _Reference) -> None:
    """To 1e-4 of the largest: batch normalisation is folded into the convolutions."""
    network, images = Inception(reference.state_dict()), bytes_in(2, 3, 40, 31)
    with torch.inference_mode():
        (expected,) = reference(images)
        found = network(resize_tf1(images))
    assert found.shape == (2, DIM)
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_gray_is_colour_with_equal_channels(reference: _Reference) -> None:
    network, images = Inception(reference.state_dict()), resize_tf1(bytes_in(1, 1, 28, 28))
    with torch.inference_mode():
        assert torch.equal(network(images), network(images.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("size", [(1, 1), (32, 32), (28, 300), (299, 299), (640, 333)])
def test_the_resize_is_torch_fidelitys_to_the_bit(size: tuple[int, int]) -> None:
    pixels = bytes_in(2, 3, *size)
    expected = interpolate_bilinear_2d_like_tensorflow1x(
        pixels.float(), size=(299, 299), align_corners=False
    )
    assert torch.equal(resize_tf1(pixels), expected)


@pytest.mark.parametrize("size", [(32, 32), (640, 333)])
def test_the_clean_resize_is_pillows_in_floating_point(size: tuple[int, int]) -> None:
    """As clean-fid resizes: each channel as a float image; 0.01 of 255 for rounding."""
    pixels = bytes_in(1, 1, *size)
    image = Image.fromarray(pixels[0, 0].numpy().astype(np.float32))
    expected = np.asarray(image.resize((299, 299), Image.Resampling.BICUBIC)).clip(0, 255)
    assert np.abs(resize_clean(pixels)[0, 0].numpy() - expected).max() < 0.01


def test_arrays_in_the_networks_order_are_named(reference: _Reference) -> None:
    state = reference.state_dict()
    arrays = [
        state[name].flatten()
        for conv in [name for name in block_tensors() if name.endswith("conv.weight")]
        for name in (conv, *(conv.replace("conv.weight", f"bn.{part}") for part in PARTS))
    ]
    named = from_sequence(arrays)
    assert named.keys() == block_tensors().keys()
    assert all(
        torch.equal(value, torch.ones_like(value) if name.endswith("bn.weight") else state[name])
        for name, value in named.items()
    )
    with pytest.raises(ValueError, match="375 arrays, not 376"):
        from_sequence(arrays[1:])


PARTS = ("bias", "running_mean", "running_var")


def archive_of(reference: _Reference) -> bytes:
    """A file like a TorchScript archive, with a pickle that must not be read."""
    file = io.BytesIO()
    state, number = reference.state_dict(), 0
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", b"cos\nsystem\n(S'echo hacked'\ntR.")
        for conv in [name for name in block_tensors() if name.endswith("conv.weight")]:
            for name in (conv, *(conv.replace("conv.weight", f"bn.{part}") for part in PARTS)):
                archive.writestr(f"net/data/{number}", state[name].numpy().tobytes())
                number += 1
    return file.getvalue()


def test_both_published_layouts_are_read_after_their_digest(
    reference: _Reference, tmp_path: Path
) -> None:
    saved = io.BytesIO()
    torch.save(reference.state_dict(), saved)
    images = resize_tf1(bytes_in(1, 3, 20, 20))
    for data, read in (
        (saved.getvalue(), named_tensors),
        (archive_of(reference), tensors_of_archive),
    ):
        path = tmp_path / "weights"
        path.write_bytes(data)
        known = {"ours": Published(digest_of(data), read)}
        digest, network = load_inception(path, on_event=silent, known=known)
        assert digest == digest_of(data)
        assert torch.isfinite(network(images)).all()

        path.write_bytes(data[:-1])
        with pytest.raises(UserError, match="not the published weights, or not all of them"):
            load_inception(path, on_event=silent, known=known)


def test_a_file_that_does_not_fit_the_network_is_named(tmp_path: Path) -> None:
    saved = io.BytesIO()
    torch.save({"fc.weight": torch.zeros(2)}, saved)
    path = tmp_path / "weights.pth"
    path.write_bytes(saved.getvalue())
    known = {"ours": Published(digest_of(saved.getvalue()), named_tensors)}
    with pytest.raises(UserError, match=r"weights\.pth: does not fit the network"):
        load_inception(path, on_event=silent, known=known)
