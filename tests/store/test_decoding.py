from __future__ import annotations

import hashlib
import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, features

from imbsynth.configs import MAX_PIXELS, Fit
from imbsynth.store.decoding import DecodedImage, Unreadable, decode, quiet
from imbsynth.store.images import as_picture
from tests.store.conftest import chunk, noise, png_bytes, tiff_bytes

ORIENTATION = 0x0112  # the EXIF tag
DEEP = struct.pack(">4H", 0, 257, 32768, 65535)  # four gray pixels of 16 bits
AVIF = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")


def decoded(data: bytes, size: tuple[int, int] | None = None) -> DecodedImage:
    with quiet():
        return decode(data, size)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette_image(*colours: tuple[int, int, int]) -> Image.Image:
    """One row of pixels, one of each colour."""
    image = Image.frombytes("P", (len(colours), 1), bytes(range(len(colours))))
    image.putpalette([value for colour in colours for value in colour])
    return image


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def row(mode: str, *values: int) -> Image.Image:
    """One row of pixels in a mode of one byte a band."""
    return Image.frombytes(
        mode, (len(values) // len(Image.new(mode, (1, 1)).getbands()), 1), bytes(values)
    )


# (what is stored, the gray or RGB row it becomes, the mode reported, whether it had transparency)
BY_HAND: dict[str, tuple[bytes, list[Any], str, bool]] = {
    "bilevel": (
        encoded(Image.frombytes("1", (8, 1), b"\xa5"), "PNG"),
        [255, 0, 255, 0, 0, 255, 0, 255],
        "1",
        False,
    ),
    "gray": (encoded(row("L", 0, 7, 255), "PNG"), [0, 7, 255], "L", False),
    "gray of 2 bits": (
        png_bytes(4, 1, bits=2, colour=0, rows=b"\0\x1b"),
        [0, 85, 170, 255],
        "L",
        False,
    ),
    "gray with alpha": (
        encoded(row("LA", 200, 255, 200, 0, 200, 51), "PNG"),
        [200, 0, 40],
        "LA",
        True,
    ),
    "gray with a transparent value": (
        encoded(row("L", 10, 20, 30), "PNG", transparency=20),
        [10, 0, 30],
        "L",
        True,
    ),
    "colour": (
        encoded(row("RGB", 1, 2, 3, 250, 251, 252), "PNG"),
        [[1, 2, 3], [250, 251, 252]],
        "RGB",
        False,
    ),
    "colour with alpha": (
        encoded(row("RGBA", 100, 150, 200, 255, 100, 150, 200, 51), "PNG"),
        [[100, 150, 200], [20, 30, 40]],
        "RGBA",
        True,
    ),
    "colour with a transparent value": (
        encoded(row("RGB", 1, 2, 3, 4, 5, 6), "PNG", transparency=(4, 5, 6)),
        [[1, 2, 3], [0, 0, 0]],
        "RGB",
        True,
    ),
    "palette": (
        encoded(palette_image((1, 2, 3), (250, 240, 230)), "PNG"),
        [[1, 2, 3], [250, 240, 230]],
        "P",
        False,
    ),
    "gray palette": (
        encoded(palette_image((9, 9, 9), (8, 8, 8)), "PNG"),
        [9, 8],
        "P",
        False,
    ),
    "palette with a transparent entry": (
        encoded(palette_image((1, 2, 3), (250, 240, 230)), "PNG", transparency=1),
        [[1, 2, 3], [0, 0, 0]],
        "P",
        True,
    ),
    "palette with alpha": (
        encoded(palette_image((1, 2, 3), (250, 240, 230)), "PNG", transparency=b"\xff\x33"),
        [[1, 2, 3], [50, 48, 46]],
        "P",
        True,
    ),
    "cmyk": (
        encoded(row("CMYK", 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255), "TIFF"),
        [[255, 255, 255], [0, 255, 255], [0, 0, 0]],
        "CMYK",
        False,
    ),
    "16-bit PNG": (
        png_bytes(4, 1, bits=16, colour=0, rows=b"\0" + DEEP),
        [0, 1, 128, 255],
        "I;16",
        False,
    ),
    "16-bit PNG with a transparent value": (
        png_bytes(4, 1, bits=16, colour=0, rows=b"\0" + DEEP, extra=chunk(b"tRNS", b"\x80\x00")),
        [0, 1, 0, 255],
        "I;16",
        True,
    ),
    "16-bit colour PNG": (
        png_bytes(1, 1, bits=16, colour=2, rows=b"\0" + struct.pack(">3H", 0, 32768, 65535)),
        [[0, 128, 255]],
        "RGB",
        False,
    ),
    "16-bit gray PNG between the levels": (
        png_bytes(3, 1, bits=16, colour=0, rows=b"\0" + struct.pack(">3H", 255, 511, 65279)),
        [0, 1, 254],
        "I;16",
        False,
    ),
    "16-bit colour PNG between the levels": (
        png_bytes(1, 1, bits=16, colour=2, rows=b"\0" + struct.pack(">3H", 255, 511, 65279)),
        [[0, 1, 254]],
        "RGB",
        False,
    ),
    "16-bit gray PNG with alpha": (
        png_bytes(2, 1, bits=16, colour=4, rows=b"\0" + struct.pack(">4H", 511, 65535, 65535, 0)),
        [1, 0],
        "RGBA",
        True,
    ),
    "16-bit gray TIFF between the levels": (
        tiff_bytes(3, 1, bits=16, kind=1, pixels=struct.pack("<3H", 255, 511, 65279)),
        [0, 1, 254],
        "I;16",
        False,
    ),
    "gray PNM between the levels": (
        b"P5 3 1 65535\n" + struct.pack(">3H", 255, 511, 65279),
        [1, 2, 254],
        "I",
        False,
    ),
    "colour PNM between the levels": (
        b"P6 1 1 65535\n" + struct.pack(">3H", 255, 511, 65279),
        [[1, 2, 254]],
        "RGB",
        False,
    ),
    "16-bit PGM": (b"P5 4 1 65535\n" + DEEP, [0, 1, 128, 255], "I", False),
    "PGM up to 1000": (b"P5 2 1 1000\n" + struct.pack(">2H", 0, 1000), [0, 255], "I", False),
    "16-bit PPM": (
        b"P6 1 1 65535\n" + struct.pack(">3H", 0, 32768, 65535),
        [[0, 128, 255]],
        "RGB",
        False,
    ),
    "float PFM": (b"Pf\n3 1\n-1.0\n" + struct.pack("<3f", 0, 0.2, 1), [0, 51, 255], "F", False),
    "float TIFF": (
        tiff_bytes(3, 1, bits=32, kind=3, pixels=struct.pack("<3f", 0, 0.2, 1)),
        [0, 51, 255],
        "F",
        False,
    ),
    "12-bit TIFF": (
        tiff_bytes(2, 1, bits=12, kind=1, pixels=b"\xff\xf8\x00"),
        [255, 128],
        "I;16",
        False,
    ),
    "16-bit TIFF": (
        tiff_bytes(3, 1, bits=16, kind=1, pixels=struct.pack("<3H", 0, 32768, 65535)),
        [0, 128, 255],
        "I;16",
        False,
    ),
    "signed 16-bit TIFF": (
        tiff_bytes(3, 1, bits=16, kind=2, pixels=struct.pack("<3h", 0, 16384, 32767)),
        [0, 128, 255],
        "I",
        False,
    ),
    "signed 32-bit TIFF": (
        tiff_bytes(3, 1, bits=32, kind=2, pixels=struct.pack("<3i", 0, 2**30, 2**31 - 1)),
        [0, 128, 255],
        "I",
        False,
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_way_of_storing_pixels_by_hand(name: str) -> None:
    data, pixels, mode, alpha = BY_HAND[name]
    picture = decoded(data)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.tolist() == [pixels]
    assert picture[1:4] == (mode, alpha, False)
    assert picture.coloured == (picture.pixels.ndim == 3)


@given(
    pixels=st.sampled_from([1, 3]).flatmap(
        lambda c: st.tuples(st.just(c), st.integers(1, 9), st.integers(1, 9)).flatmap(
            lambda shape: arrays(np.uint8, shape)
        )
    )
)
@settings(deadline=None)
def test_any_image_survives_png_bit_by_bit(pixels: NDArray[np.uint8]) -> None:
    read = decoded(encoded(as_picture(pixels), "PNG")).pixels
    if read.ndim == 2:  # no colour in it
        read = read[..., None]
    assert (read == pixels.transpose(1, 2, 0)).all()


@pytest.mark.parametrize("values", [(0, 0.5, 1.01), (-0.01, 0.5, 1), (0, float("nan"), 1)])
def test_floats_outside_0_to_1_are_refused_and_not_clipped(values: tuple[float, ...]) -> None:
    data = tiff_bytes(3, 1, bits=32, kind=3, pixels=struct.pack("<3f", *values))
    with pytest.raises(Unreadable, match="values outside the range 0 to 1 of a F image"):
        decoded(data)


def test_negative_integers_are_refused_and_not_clipped() -> None:
    data = tiff_bytes(2, 1, bits=16, kind=2, pixels=struct.pack("<2h", -1, 5))
    with pytest.raises(Unreadable, match="values outside the range 0 to 32767"):
        decoded(data)


UPRIGHT = np.arange(6, dtype=np.uint8).reshape(2, 3)
AS_SHOWN = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT, -1),
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT),
    99: UPRIGHT,
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", AS_SHOWN)
def test_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    data = encoded(Image.fromarray(UPRIGHT), kind, exif=turned(orientation))
    assert decoded(data).pixels.tolist() == AS_SHOWN[orientation].tolist()


def test_a_turned_photograph_stands_upright() -> None:
    photograph = Image.new("L", (16, 8))
    photograph.paste(255, (0, 0, 8, 8))  # its left half is bright
    pixels = decoded(encoded(photograph, "JPEG", exif=turned(6))).pixels
    assert pixels.shape == (16, 8)
    assert pixels[:8].min() > 240  # JPEG is off by a few
    assert pixels[8:].max() < 15


def test_exif_in_the_old_manner_of_imagemagick_counts() -> None:
    exif = turned(6).tobytes()
    text = f"\nexif\n{len(exif):8d}\n{exif.hex()}\n".encode()
    extra = chunk(b"tEXt", b"Raw profile type exif\0" + text)
    rows = b"\0\x00\x01\x02\0\x03\x04\x05"
    data = png_bytes(3, 2, bits=8, colour=0, rows=rows, extra=extra)
    assert decoded(data).pixels.tolist() == AS_SHOWN[6].tolist()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert decoded(data).pixels.tolist() == [[[255, 0, 0]] * 4] * 3


def test_size_is_height_by_width() -> None:
    picture = decoded(encoded(Image.new("L", (6, 4), 77), "PNG"), (8, 3))
    assert picture.pixels.tolist() == [[77] * 3] * 8
    assert picture.resized


def test_size_is_that_of_the_upright_image() -> None:
    data = encoded(Image.fromarray(UPRIGHT), "PNG", exif=turned(6))
    picture = decoded(data, (3, 2))
    assert picture.pixels.tolist() == AS_SHOWN[6].tolist()
    assert not picture.resized


def test_making_an_image_smaller_averages_its_pixels() -> None:
    checks = (np.indices((32, 32)).sum(0) % 2 * 255).astype(np.uint8)
    pixels = decoded(encoded(Image.fromarray(checks), "PNG"), (4, 4)).pixels
    assert np.abs(pixels[1:-1, 1:-1].astype(int) - 127).max() <= 2  # nearest would give 0 or 255


STORED = {
    name: encoded(as_picture(noise(0, 3, 8, 8)), *options)
    for name, options in {
        "png": ("PNG",),
        "jpeg": ("JPEG",),
        "gif": ("GIF",),
        "bmp": ("BMP",),
        "tiff": ("TIFF",),
        "ppm": ("PPM",),
        "webp": ("WEBP",),
        "tga": ("TGA",),
    }.items()
} | {
    "progressive jpeg": encoded(as_picture(noise(0, 3, 8, 8)), "JPEG", progressive=True),
    "compressed tiff": encoded(as_picture(noise(0, 3, 8, 8)), "TIFF", compression="tiff_lzw"),
    "turned png": encoded(as_picture(noise(0, 3, 8, 8)), "PNG", exif=turned(6)),
}


@pytest.mark.parametrize("name", STORED)
def test_a_file_cut_anywhere_is_unreadable_unless_every_pixel_is_there(name: str) -> None:
    data = STORED[name]
    whole = decoded(data).pixels
    refused = 0
    for length in range(len(data)):
        try:
            assert (decoded(data[:length]).pixels == whole).all()
        except Unreadable:
            refused += 1
    assert refused >= len(data) - 30  # PNG, GIF and TGA have something behind the pixels


@given(
    name=st.sampled_from(sorted(STORED)),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=300)
def test_a_damaged_file_is_an_image_or_unreadable_and_nothing_else(
    name: str, edits: list[tuple[int, int]]
) -> None:
    data = bytearray(STORED[name])
    for position, value in edits:
        data[position % len(data)] = value
    with suppress(Unreadable):
        assert decoded(bytes(data)).pixels.dtype == np.uint8


@AVIF
def test_a_damaged_avif_is_unreadable() -> None:
    data = encoded(as_picture(noise(0, 3, 16, 16)), "AVIF")
    pixels = len(data) - data.index(b"mdat") - 4
    with pytest.raises(Unreadable):
        decoded(data[:-pixels] + bytes(pixels))


@pytest.mark.parametrize("data", [b"", b"Dear Sir,\n" * 20, b"\x89PNG\r\n\x1a\n", bytes(500)])
def test_what_is_no_image_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decoded(data)


@pytest.mark.parametrize("side", [int(MAX_PIXELS**0.5) + 1, 30_000])
def test_a_header_that_claims_too_many_pixels_is_refused_unread(side: int) -> None:
    bomb = png_bytes(side, side, bits=8, colour=0, rows=b"")
    with pytest.raises(Unreadable, match=f"{side}x{side} pixels|exceeds limit"):
        decoded(bomb)


def test_an_odd_tag_is_no_reason_to_warn_or_to_refuse() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0"  # ends where its first entry should begin
    data = encoded(Image.new("L", (8, 8), 90), "JPEG", exif=exif)
    assert decoded(data).pixels.shape == (8, 8)


def test_a_jpeg_without_its_end_marker_is_said_to_lack_it() -> None:
    data = encoded(Image.new("L", (16, 8), 7), "JPEG")
    assert data.endswith(b"\xff\xd9")
    with pytest.raises(Unreadable, match="the end marker of the JPEG file is missing"):
        decode(data[:-2])


def test_the_same_image_has_one_digest_in_every_lossless_format() -> None:
    gray = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10))
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown a quarter turn clockwise
    files = [
        encoded(gray, "PNG"),
        encoded(gray, "PNG", compress_level=0) + b"more",
        encoded(gray, "BMP"),
        encoded(gray, "TIFF"),
        encoded(gray.convert("RGB"), "PNG"),
        encoded(gray.convert("RGBA"), "PNG"),
        encoded(gray.transpose(Image.Transpose.ROTATE_90), "PNG", exif=turned),
    ]
    digests = {decode(data).digest for data in files}
    assert len(digests) == 1
    assert decode(files[0], size=(3, 3)).digest in digests  # of its own pixels
    others = [
        gray.transpose(Image.Transpose.ROTATE_180),
        Image.fromarray(np.arange(60, dtype=np.uint8).reshape(10, 6)),
        Image.merge("RGB", [gray, gray, Image.new("L", gray.size)]),
    ]
    assert not digests & {decode(encoded(other, "PNG")).digest for other in others}


@pytest.fixture
def photograph() -> Image.Image:
    """Smooth patches of colour with some noise, 160x240 pixels."""
    rng = np.random.default_rng(3)
    patches = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8))
    smooth = np.asarray(patches.resize((240, 160), Image.Resampling.BICUBIC), np.float64)
    noisy = smooth + rng.normal(0, 6, smooth.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("size", [(16, 16), (12, 20), (40, 40)])
def test_a_drafted_jpeg_hardly_differs(
    photograph: Image.Image, size: tuple[int, int], orientation: int, fit: Fit
) -> None:
    data = encoded(photograph, "JPEG", quality=92, exif=turned(orientation))
    whole, draft = (decode(data, size, fit=fit, draft=draft) for draft in (False, True))
    apart = np.abs(whole.pixels.astype(int) - draft.pixels)
    assert draft.pixels.shape == (*size, 3)
    assert 0 < apart.max() <= 3
    assert apart.mean() < 0.5
    assert (draft.mode, draft.alpha, draft.resized, draft.coloured) == ("RGB", False, True, True)


def test_a_drafted_jpeg_is_known_by_its_bytes(photograph: Image.Image) -> None:
    data = encoded(photograph, "JPEG")
    draft = decode(data, (16, 16), draft=True)
    assert (
        draft.digest == hashlib.sha256(data).hexdigest() == decode(data, (20, 9), draft=True).digest
    )
    assert draft.digest != decode(data, (16, 16)).digest


@pytest.mark.parametrize(
    ("kind", "size"),
    [("JPEG", None), ("JPEG", (41, 61)), ("JPEG", (81, 20)), ("JPEG", (320, 480)), ("PNG", (8, 8))],
)
def test_only_a_jpeg_at_least_four_times_as_large_is_drafted(
    photograph: Image.Image, kind: str, size: tuple[int, int] | None
) -> None:
    data = encoded(photograph, kind)
    whole, draft = (decode(data, size, draft=draft) for draft in (False, True))
    assert np.array_equal(whole.pixels, draft.pixels)
    assert whole.digest == draft.digest


def test_a_gray_jpeg_stays_gray_in_a_draft(photograph: Image.Image) -> None:
    for image in (photograph.convert("L"), photograph.convert("L").convert("RGB")):
        draft = decode(encoded(image, "JPEG"), (16, 16), draft=True)
        assert draft.pixels.shape == (16, 16)
        assert not draft.coloured


def test_a_damaged_jpeg_is_refused_in_a_draft(photograph: Image.Image) -> None:
    data = encoded(photograph, "JPEG")
    with pytest.raises(Unreadable):
        decode(data[: len(data) // 2], (16, 16), draft=True)
