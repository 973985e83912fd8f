"""The bad inputs, made byte by byte or by Pillow: images, names, and things that are no files."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from tests.conftest import draw_image
from tests.store.conftest import chunk, png_bytes, tiff_bytes

Pixels = NDArray[np.uint8]
ORIENTATION = 0x0112  # the EXIF tag
SIDE = 8

GRAY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
COLOUR = np.stack([GRAY, 255 - GRAY, GRAY.T], axis=2)
DEEP = GRAY.astype(np.uint16) * 257  # 16 bits that come to GRAY


class Content(NamedTuple):
    """What one file holds."""

    suffix: str
    data: bytes
    pixels: Pixels | None  # what it decodes to; None: it is unreadable
    tolerance: int = 0  # grey levels, for formats that lose some


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def readable() -> dict[str, Content]:
    """Files that hold 8x8 pixels, each in its own way, and what these are."""
    gray, colour = Image.fromarray(GRAY), Image.fromarray(COLOUR)
    flat = np.full((8, 8), 100, np.uint8)
    half = Image.fromarray(np.full((8, 8), 51, np.uint8))  # alpha of a fifth
    bits = np.where(GRAY > 127, 255, 0).astype(np.uint8)
    quantised = colour.quantize(64)
    shown = np.asarray(quantised.convert("RGB"))
    rgba, la = colour.copy(), Image.fromarray(flat)
    rgba.putalpha(255)
    la.putalpha(half)
    frames = [Image.new("RGB", (8, 8), name) for name in ("red", "lime", "blue")]
    red = np.zeros((8, 8, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    cmyk = Image.merge("CMYK", [Image.new("L", (8, 8), value) for value in (0, 255, 0, 0)])
    magenta = np.zeros((8, 8, 3), np.uint8) + np.array([255, 0, 255], np.uint8)
    bright = np.zeros((8, 8), np.uint8)
    bright[:, :4] = 255
    deep_rgb = np.repeat(DEEP[:, :, None], 3, 2).astype(">u2")
    clear = encoded(quantised, "PNG", transparency=int(np.asarray(quantised)[0, 0]))
    holed = np.where((np.asarray(quantised) == np.asarray(quantised)[0, 0])[..., None], 0, shown)
    found = {
        "gray": Content("png", encoded(gray, "PNG"), GRAY),
        "colour": Content("png", encoded(colour, "PNG"), COLOUR),
        "16-bit gray": Content("png", _png16(0, DEEP.astype(">u2")), GRAY),
        "16-bit colour": Content("png", _png16(2, deep_rgb), np.repeat(GRAY[..., None], 3, 2)),
        "1-bit": Content("png", encoded(Image.fromarray(bits).convert("1"), "PNG"), bits),
        "palette": Content("png", encoded(quantised, "PNG"), shown),
        "palette, transparent": Content("png", clear, holed),
        "RGBA": Content("png", encoded(rgba, "PNG"), COLOUR),
        "LA": Content("png", encoded(la, "PNG"), np.full((8, 8), 20, np.uint8)),
        "CMYK JPEG": Content("jpg", encoded(cmyk, "JPEG", quality=95), magenta, 4),
        "float TIFF": Content(
            "tif",
            tiff_bytes(8, 8, bits=32, kind=3, pixels=(GRAY / 255).astype("<f4").tobytes()),
            GRAY,
        ),
        "animated GIF": Content("gif", encoded(frames[0], "GIF", **_more(frames)), red),
        "animated WebP": Content(
            "webp", encoded(frames[0], "WEBP", lossless=True, **_more(frames)), red
        ),
        "turned JPEG": Content(
            "jpg", encoded(Image.fromarray(bright), "JPEG", exif=exif, quality=95), bright.T, 4
        ),
        "BMP": Content("bmp", encoded(colour, "BMP"), COLOUR),
        "PPM": Content("ppm", encoded(colour, "PPM"), COLOUR),
        "1x1": Content("png", encoded(Image.new("L", (1, 1), 77), "PNG"), flat - 23),
        "1x5000": Content("png", encoded(Image.new("L", (1, 5000), 77), "PNG"), flat - 23),
        "5000x1": Content("png", encoded(Image.new("L", (5000, 1), 77), "PNG"), flat - 23),
        "PNG named .jpg": Content("jpg", encoded(gray, "PNG"), GRAY),
        "PNG and more": Content("png", encoded(gray, "PNG") + b"more", GRAY),
    }
    return {n: c for n, c in found.items() if "WebP" not in n or features.check("webp")}


def unreadable() -> dict[str, Content]:
    """Files that are no whole image."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    whole = {"png": encoded(noise, "PNG"), "jpg": encoded(noise, "JPEG")}
    found = {
        f"{kind} cut at {tenth}0 %": Content(kind, data[: len(data) * tenth // 10], None)
        for kind, data in whole.items()
        for tenth in range(1, 10)
    }
    bomb = zlib.compress(bytes(30_001 * 200))  # a beginning of its rows: the header is enough
    huge = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    bomb_png = whole["png"][:8] + chunk(b"IHDR", huge) + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")
    found |= {f"wrong CRC of {kind}": _wrong_crc(whole["png"], kind.encode()) for kind in _KINDS}
    found |= {
        "zero bytes": Content("png", b"", None),
        "text": Content("png", b"Dear Sir or Madam,\n" * 9, None),
        "a bomb": Content("png", bomb_png, None),
        "a bomb of GIF": Content("gif", b"GIF89a" + b"\xff" * 4 + bytes(20), None),
        "PostScript": Content("png", _POSTSCRIPT, None),
        "PostScript in .jpg": Content("jpg", _POSTSCRIPT, None),
        "a pickle": Content("png", b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.", None),
        "SVG": Content("png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', None),
        "float out of range": Content(
            "tif", tiff_bytes(1, 1, bits=32, kind=3, pixels=struct.pack("<f", 7)), None
        ),
        "float that is no number": Content(
            "tif", tiff_bytes(1, 1, bits=32, kind=3, pixels=struct.pack("<f", float("nan"))), None
        ),
    }
    return found


_KINDS = ("IHDR", "IDAT", "IEND")
_POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
    b"(/tmp/owned) (w) file closefile showpage\n%%EOF\n"
)


def _more(frames: list[Image.Image]) -> dict[str, Any]:
    return {"save_all": True, "append_images": frames[1:]}


def _png16(colour: int, values: NDArray[Any]) -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    return png_bytes(8, 8, bits=16, colour=colour, rows=rows)


def _wrong_crc(png: bytes, kind: bytes) -> Content:
    damaged = bytearray(png)
    start = png.index(kind)
    damaged[start + 4 + int.from_bytes(png[start - 4 : start], "big")] ^= 1
    return Content("png", bytes(damaged), None)


# Names of files and of classes. The last is no UTF-8, and 200 bytes are near the usual limit.
NAMES = [
    "two words", "'\"`$(touch owned)", "new\nline", "-rf", "--json", "😀 日本", "a" * 196,
    "back\\slash", "%s{0}", "*?[a]", "CON", "é", "#;&|<>", "~", os.fsdecode(b"caf\xe9"),
]  # fmt: skip


def plain_folder(root: Path, *, images: int = 6) -> Path:
    """Classes odd and plain with different gray images; the cases go into odd."""
    for label, name in enumerate(("odd", "plain")):
        (root / name).mkdir(parents=True)
        for i in range(images):
            draw_image(100 * label + i, SIDE, SIDE, "L").save(root / name / f"{i}.png")
    return root


class Layout(NamedTuple):
    """Something in a folder beside plain images."""

    make: Callable[[Path], object]  # given the folder
    named: str = ""  # in the message of commands that refuse it; "": it is taken or ignored
    inspected: bool = False  # whether `inspect` lists it instead of refusing it
    left_out: bool = False  # whether `fid` names it and leaves it out instead of refusing it


def layouts() -> dict[str, Layout]:
    """Folders with things in them that are no plain images."""
    return {
        "hidden file": Layout(lambda src: (src / "odd/.a.png").write_bytes(b"x")),
        "hidden class": Layout(lambda src: (src / ".git/a").mkdir(parents=True)),
        ".DS_Store": Layout(lambda src: (src / "odd/.DS_Store").write_bytes(b"Bud1")),
        "Thumbs.db": Layout(lambda src: (src / "odd/Thumbs.db").write_bytes(b"x")),
        "text beside the classes": Layout(lambda src: (src / "README.txt").write_text("x")),
        "nested folders": Layout(lambda src: _nested(src / "odd/a/b/c")),
        "folder with a file's name": Layout(lambda src: _nested(src / "odd/x.png")),
        "upper-case suffix": Layout(lambda src: _copied(src, "odd/A.PNG")),
        "pipe without a suffix": Layout(lambda src: os.mkfifo(src / "odd/pipe")),
        "link to a file": Layout(lambda src: (src / "odd/l.png").symlink_to(src / "odd/0.png")),
        "link to a file outside": Layout(lambda src: _link_outside(src)),
        "link to a folder within": Layout(lambda src: (src / "odd/more").symlink_to("../plain")),
        "class of one": Layout(lambda src: _emptied(src, leave=1), "odd"),
        "empty class": Layout(lambda src: _emptied(src, leave=0), "odd", left_out=True),
        "another empty class": Layout(lambda src: (src / "new").mkdir(), "new", left_out=True),
        "link above": Layout(lambda src: (src / "odd/up").symlink_to(".."), "odd/up"),
        "link to the root": Layout(lambda src: (src / "odd/up").symlink_to("/"), "odd/up"),
        "link out": Layout(lambda src: (src / "odd/out").symlink_to(src.parent), "odd/out"),
        "loop": Layout(lambda src: (src / "odd/loop").symlink_to("../odd"), "odd/loop"),
        "link to itself": Layout(
            lambda src: (src / "odd/l.png").symlink_to("l.png"), "odd/l.png", inspected=True
        ),
        "dangling link": Layout(
            lambda src: (src / "odd/l.png").symlink_to("gone"), "odd/l.png", inspected=True
        ),
        "pipe": Layout(lambda src: os.mkfifo(src / "odd/p.png"), "odd/p.png", inspected=True),
        "device": Layout(
            lambda src: (src / "odd/z.png").symlink_to("/dev/zero"), "odd/z.png", inspected=True
        ),
    }


def _nested(folder: Path) -> None:
    folder.mkdir(parents=True)
    draw_image(77, SIDE, SIDE, "L").save(folder / "deep.png")


def _copied(src: Path, path: str) -> None:
    (src / path).write_bytes((src / "odd/0.png").read_bytes())


def _link_outside(src: Path) -> None:
    draw_image(78, SIDE, SIDE, "L").save(src.parent / "outside.png")
    (src / "odd/l.png").symlink_to(src.parent / "outside.png")


def _emptied(src: Path, leave: int) -> None:
    for path in sorted((src / "odd").iterdir())[leave:]:
        path.unlink()
