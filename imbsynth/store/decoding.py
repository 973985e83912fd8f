"""From the bytes of an image file to its pixels, by one set of rules for every format."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from imbsynth.configs import MAX_PIXELS, Fit, Size  # a file that claims more is taken for a bomb
from imbsynth.store import png
from imbsynth.store.folders import digest_of
from imbsynth.store.resizing import is_turned, lies_on_its_side, resized_to, scaled_on_decoding

# Pillow recognises a file by its first bytes, not by its name, and some of its formats are
# programs: for EPS it starts Ghostscript. The likeliest come first; TGA, which has no signature,
# comes last.
_FORMATS = (
    *("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "DIB", "PCX", "ICO", "SGI"),
    *("JPEG2000", "AVIF", "TGA"),
)

# What Pillow's readers raise for broken files.
_PARSER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_GRAY_MODES = frozenset({"1", "L", "LA", "La", "F"})  # and "I", "I;16", ...
_BITS, _FORMAT, _SIGNED = 258, 339, 2  # TIFF tags, and the value of the second for signed integers


class Unreadable(Exception):
    """The bytes are not a whole image; the message says why."""


class DecodedImage(NamedTuple):
    """The pixels of an image file, and how they are stored in it."""

    pixels: NDArray[np.uint8]  # (h, w) gray or (h, w, 3) colour
    mode: str  # as stored, by Pillow's names: "L", "RGB", "RGBA", "P", "I;16", ...
    alpha: bool  # whether transparency was composited on black
    resized: bool
    # SHA-256 of size and pixels, hexadecimal: see `_pixel_digest`; of the bytes of a JPEG file that
    # was decoded at a fraction of its size.
    digest: str
    coloured: bool  # whether the file shows a colour, whatever became of it


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings of odd metadata; to be entered around all threads that decode.

    The filters belong to the whole process: threads that each set them would restore them in the
    wrong order, and they would stay changed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decode(
    data: bytes,
    size: Size | None = None,
    *,
    as_gray: bool = False,
    fit: Fit = "squash",
    draft: bool = False,
) -> DecodedImage:
    """The first frame of an image, upright, as 8-bit gray or RGB.

    What shows no colour is gray, however it is stored; everything else is RGB, or with `as_gray`
    its luma (ITU-R 601-2). Palettes are expanded, transparency is composited on black, EXIF
    orientation is applied, 16-bit and float images are brought to 8 bits by their format's range
    (float: [0, 1]), gray as colour: see `_eight_bit`. `size` (height, width in pixels) resizes with
    Pillow's antialiased bicubic filter, by `fit`: see `resized_to`. With `draft`, a large JPEG file
    is decoded at a fraction of its size: see `scaled_on_decoding`. Raises Unreadable.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            _check_area(image)
            if image.format == "PNG":
                png.check_chunks(data)
            mode = image.mode
            is_draft = draft and size is not None and scaled_on_decoding(image, size)
            image.load()
            upright = ImageOps.exif_transpose(image) if is_turned(image) else image
            flat, alpha = _flatten(upright, gray=_is_gray(image, data))
            flat = _without_equal_channels(flat)
            digest = digest_of(data) if is_draft else _pixel_digest(np.asarray(flat))
            coloured = flat.mode == "RGB"
            if coloured and as_gray:
                flat = flat.convert("L")
            resized = size is not None and flat.size != (size[1], size[0])
            if size is not None and resized:
                flat = resized_to(flat, size, fit)
            return DecodedImage(np.asarray(flat), mode, alpha, resized, digest, coloured)
    except _PARSER_ERRORS as error:
        raise Unreadable(_reason(error, data)) from None


def _pixel_digest(pixels: NDArray[np.uint8]) -> str:
    """What is equal for files that show the same image: of size and pixels, before any resizing.

    pixels: (h, w) where they show no colour, else (h, w, 3).
    """
    digest = hashlib.sha256("x".join(map(str, pixels.shape)).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def is_gray(path: Path) -> bool:
    """Whether a file is stored as gray, by its header alone; True for what is not an image."""
    try:
        with path.open("rb") as file:
            head = file.read(png.HEADER)
        with Image.open(path) as image:
            return _is_gray(image, head)
    except _PARSER_ERRORS:
        return True


def _is_gray(image: Image.Image, data: bytes) -> bool:
    """Whether pixels are gray values. Pillow reads gray PNG with alpha of 16 bits as colour."""
    deep = image.format == "PNG" and png.is_gray(data)
    return deep or image.mode in _GRAY_MODES or image.mode.startswith("I")


def header_size(path: Path) -> tuple[int, int] | None:
    """(height, width) in pixels, upright, by the header alone; None where it cannot be read."""
    try:
        with Image.open(path, formats=_formats()) as image:
            size = image.height, image.width
            return size[::-1] if lies_on_its_side(image) else size
    except _PARSER_ERRORS:
        return None


@cache
def _formats() -> tuple[str, ...]:
    """Those of `_FORMATS` that this build of Pillow has."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _check_area(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width}x{image.height} pixels, more than {MAX_PIXELS:,}")


def _reason(error: BaseException, data: bytes) -> str:
    if data.startswith(_JPEG_START) and _JPEG_END not in data:
        return "truncated: the end marker of the JPEG file is missing"
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a format that is read"
    text = str(error).splitlines()
    return text[0] if text else type(error).__name__


def _flatten(image: Image.Image, *, gray: bool) -> tuple[Image.Image, bool]:
    """Any mode to "L" (if it is gray) or "RGB", and whether there was transparency."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image, False
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bit(image)
    if image.has_transparency_data:
        return _on_black(image.convert("RGBA"), "L" if gray else "RGB"), True
    if image.mode == "1":
        return image.convert("L"), False
    return image.convert("RGB"), False


def _without_equal_channels(image: Image.Image) -> Image.Image:
    """An RGB image whose channels are equal, as "L": gray images are often stored as RGB."""
    if image.mode != "RGB":
        return image
    pixels = np.asarray(image)
    for part in (pixels[0], pixels):  # most colour images show it in their first row
        if not (part[..., 0] == part[..., 1]).all() or not (part[..., 1] == part[..., 2]).all():
            return image
    return image.getchannel(0)


def _on_black(image: Image.Image, mode: str) -> Image.Image:
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image).convert(mode)


def _eight_bit(image: Image.Image) -> tuple[Image.Image, bool]:
    """Deep gray to 8 bits by the range of the format, not of the picture; see `_flatten`.

    As Pillow reads deep colour: the high byte of a sample in PNG and TIFF, rounded in PNM, where
    any number may be the largest.
    """
    values = np.asarray(image).astype(np.float64)
    full = 1.0 if image.mode == "F" else _largest(image)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= full):
        raise ValueError(f"values outside the range 0 to {full:g} of a {image.mode} image")
    if image.mode == "F" or image.format == "PPM":
        scaled = np.rint(values * (255 / full))
    else:
        scaled = np.floor(values * (256 / (full + 1)))
    gray = scaled.astype(np.uint8)
    see_through = image.info.get("transparency")
    if see_through is not None:
        gray[values == see_through] = 0
    return Image.fromarray(gray), see_through is not None


def _largest(image: Image.Image) -> float:
    """The largest integer that the file could hold: TIFF says it, all others have 16 bits."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 2.0**16 - 1
    (bits,), (kind,) = image.tag_v2[_BITS], image.tag_v2.get(_FORMAT, (1,))
    return 2.0 ** (bits - (kind == _SIGNED)) - 1
