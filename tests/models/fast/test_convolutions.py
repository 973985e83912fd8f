from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from imbsynth.models.fast.convolutions import Doubling, Growing, Halving, halved
from imbsynth.models.fast.switch import FEWEST_CHANNELS, FEWEST_IMAGES, VARIABLE

SIZES = [(h, w) for h in range(1, 10) for w in range(1, 10)]


@pytest.mark.parametrize("size", SIZES)
def test_halving_equals_the_library_convolution_and_halves(size: tuple[int, int]) -> None:
    layer = Halving(3, 5, size)
    images = torch.randn(4, 3, *size)
    made = layer(images)
    assert made.shape == (4, 5, *halved(size))
    # Sums of 48 products of order 1 in float32, in another order.
    torch.testing.assert_close(made, nn.Conv2d.forward(layer, images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_doubling_equals_the_library_convolution_and_undoes_halving(size: tuple[int, int]) -> None:
    layer = Doubling(5, 3, size, bias=True)
    maps = torch.randn(4, 5, *halved(size))
    made = layer(maps)
    assert made.shape == (4, 3, *size)
    expected = nn.ConvTranspose2d.forward(layer, maps)
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)


def test_the_state_dicts_are_the_librarys() -> None:
    plain = nn.Conv2d(3, 5, 4, 2, 1, bias=False)
    Halving(3, 5, (2, 3)).load_state_dict(plain.state_dict())
    mirrored = nn.ConvTranspose2d(5, 3, 4, 2, 1)
    Doubling(5, 3, (2, 3), bias=True).load_state_dict(mirrored.state_dict())


def same_gradients(ours: Tensor, theirs: Tensor, inputs: tuple[Tensor, ...]) -> None:
    """Sums of thousands of products of order 1, in another order and by fewer multiplications."""
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().std()))
    toward = torch.randn_like(theirs)
    expected = torch.autograd.grad(theirs, inputs, toward)
    for found, wanted in zip(torch.autograd.grad(ours, inputs, toward), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.std()))


WIDE, MANY = FEWEST_CHANNELS, FEWEST_IMAGES
FILTERED = [(2, 2), (3, 3), (7, 7), (8, 8), (14, 14), (16, 16), (17, 17), (4, 15), (1, 9), (13, 2)]


@pytest.mark.parametrize("size", FILTERED)
def test_halving_a_small_map_equals_the_library_convolution_with_gradients(
    size: tuple[int, int],
) -> None:
    layer = Halving(WIDE, WIDE + 3, size)
    assert (layer.filtering is None) == (halved(size) == (1, 1))
    images = torch.randn(MANY, WIDE, *size, requires_grad=True)
    same_gradients(layer(images), nn.Conv2d.forward(layer, images), (images, layer.weight))


@pytest.mark.parametrize("size", FILTERED)
def test_doubling_to_a_small_map_equals_the_library_convolution_with_gradients(
    size: tuple[int, int],
) -> None:
    layer = Doubling(WIDE + 3, WIDE, size, bias=False)
    assert (layer.filtering is None) == (halved(size) == (1, 1))
    maps = torch.randn(MANY, WIDE + 3, *halved(size), requires_grad=True)
    same_gradients(layer(maps), nn.ConvTranspose2d.forward(layer, maps), (maps, layer.weight))


def largest_error(made: Tensor, exact: Tensor) -> float:
    """In standard deviations of the exact values."""
    return float((made - exact).detach().abs().max() / exact.detach().std())


@pytest.mark.parametrize("size", [(7, 7), (8, 8), (14, 14), (16, 16)])
def test_minimal_filtering_is_as_exact_as_float32_can_be_to_a_factor(size: tuple[int, int]) -> None:
    """Measured: 2.5e-5 at most, and 2.3e-6 of the library's convolution with AVX-512."""
    layer, images = Halving(64, 64, size), torch.randn(MANY, 64, *size)
    exact = nn.functional.conv2d(images.double(), layer.weight.double(), None, 2, 1)
    assert largest_error(layer(images), exact) < 1e-4  # TF32 alone would give more


def test_bf16_and_double_take_the_librarys_convolution() -> None:
    layer, images = Halving(WIDE, WIDE, (8, 8)), torch.randn(MANY, WIDE, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(images), nn.Conv2d.forward(layer, images))
    double = layer.double()
    assert torch.equal(double(images.double()), nn.Conv2d.forward(double, images.double()))


def test_a_larger_map_takes_the_librarys_convolution_where_no_gradient_is_asked_for() -> None:
    layer, images = Halving(WIDE, WIDE, (14, 14)), torch.randn(MANY, WIDE, 14, 14)
    with torch.no_grad():
        assert torch.equal(layer(images), nn.Conv2d.forward(layer, images))


def test_gradients_of_a_single_pixel_equal_the_library_convolutions() -> None:
    layer = Halving(3, 5, (3, 3))
    images = torch.randn(4, 3, 3, 3, requires_grad=True)
    same_gradients(layer(images), nn.Conv2d.forward(layer, images), (images, layer.weight))
    mirrored = Doubling(5, 3, (3, 3), bias=True)
    maps = torch.randn(4, 5, 1, 1, requires_grad=True)
    theirs = nn.ConvTranspose2d.forward(mirrored, maps)
    same_gradients(mirrored(maps), theirs, (maps, mirrored.weight))


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (7, 7), (9, 6), (10, 13)])
def test_growing_equals_the_library_convolution_with_gradients(size: tuple[int, int]) -> None:
    layer = Growing(WIDE, WIDE + 3, size)
    assert layer.spectral is not None
    maps = torch.randn(MANY, WIDE, *size, requires_grad=True)
    made = layer(maps)
    assert made.shape == (MANY, WIDE + 3, size[0] + 3, size[1] + 3)
    same_gradients(made, nn.ConvTranspose2d.forward(layer, maps), (maps, layer.weight))


@pytest.mark.parametrize("size", [(7, 7), (13, 13)])
def test_transforming_is_as_exact_as_the_library_to_a_factor(size: tuple[int, int]) -> None:
    layer = Growing(256, 64, size)
    maps = torch.randn(MANY, 256, *size).relu()  # as the layers get them
    exact = nn.functional.conv_transpose2d(maps.double(), layer.weight.double())
    plain = nn.ConvTranspose2d.forward(layer, maps)
    assert largest_error(layer(maps), exact) < 3 * largest_error(plain, exact)


def test_growing_takes_the_librarys_where_it_does_not_pay() -> None:
    assert Growing(WIDE, WIDE - 1, (7, 7)).spectral is None
    assert Growing(WIDE, WIDE, (7, 14)).spectral is None
    layer, maps = Growing(WIDE, WIDE, (5, 5)), torch.randn(MANY, WIDE, 5, 5)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(maps), nn.ConvTranspose2d.forward(layer, maps))
    double = layer.double()
    assert torch.equal(double(maps.double()), nn.ConvTranspose2d.forward(double, maps.double()))


def test_a_few_images_take_the_librarys_convolution() -> None:
    halving, images = Halving(WIDE, WIDE, (8, 8)), torch.randn(MANY - 1, WIDE, 8, 8)
    assert torch.equal(halving(images), nn.Conv2d.forward(halving, images))
    growing = Growing(WIDE, WIDE, (8, 8))
    assert torch.equal(growing(images), nn.ConvTranspose2d.forward(growing, images))


def layers() -> list[tuple[nn.Conv2d | nn.ConvTranspose2d, Tensor]]:
    """One of each kind that is hand-tuned, and a batch for it."""
    return [
        (Halving(WIDE, WIDE, (3, 3)), torch.randn(MANY, WIDE, 3, 3)),
        (Halving(WIDE, WIDE, (8, 8)), torch.randn(MANY, WIDE, 8, 8)),
        (Doubling(WIDE, WIDE, (3, 3), bias=False), torch.randn(MANY, WIDE, 1, 1)),
        (Doubling(WIDE, WIDE, (8, 8), bias=False), torch.randn(MANY, WIDE, 4, 4)),
        (Growing(WIDE, WIDE, (7, 7)), torch.randn(MANY, WIDE, 7, 7)),
    ]


def operations(work: Callable[[], object]) -> set[str]:
    with torch.profiler.profile() as profile:
        work()
    return {event.key for event in profile.key_averages()}


def test_one_switch_turns_all_of_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for layer, images in layers():
        monkeypatch.delenv(VARIABLE, raising=False)
        assert "aten::convolution" not in operations(lambda: layer(images))  # noqa: B023
        monkeypatch.setenv(VARIABLE, "0")
        assert "aten::convolution" in operations(lambda: layer(images))  # noqa: B023


def test_a_row_depends_on_the_size_of_its_batch_but_not_on_its_neighbours() -> None:
    for layer, images in layers():
        others = torch.cat([images[:1], torch.randn_like(images[1:])])
        assert torch.equal(layer(images)[0], layer(others)[0])
