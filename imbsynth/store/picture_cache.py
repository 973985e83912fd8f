"""Decoded images kept between runs, by the content of their files: the same pixels, sooner."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

import numpy as np
import PIL

from imbsynth.errors import UserError, option
from imbsynth.store.decoding import DecodedImage
from imbsynth.store.fields import Wrong, flag, parsed, sequence, text, whole

FILE = "images.sqlite"
RULES = 1  # to be counted up when `decode` makes other pixels of the same bytes
LARGEST = 256 << 10  # bytes of pixels that are kept: larger ones are soon decoded, too many to keep
SAVED_AT_ONCE = 200  # images
PATIENCE = 10.0  # seconds to wait for another process that writes

_TABLE = (
    "CREATE TABLE pictures"
    " (key TEXT PRIMARY KEY, facts TEXT, pixels BLOB, digest TEXT) WITHOUT ROWID"
)
_opened: list[PictureCache] = []  # the innermost block of `kept_in` is last


class PictureCache:
    """An SQLite file of pictures; for the threads of one process, and for several processes.

    Nothing fails because of it: what cannot be read from it, or is not as it was written, is
    decoded again, and what cannot be written is not kept.
    """

    def __init__(self, path: Path) -> None:
        self.folder, self.saving = path.parent, True
        self._lock, self._waiting = Lock(), dict[str, tuple[str, bytes | None, str]]()
        self._file = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
        self._check_ours()
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = OFF")  # digests tell what a crash has damaged
        self._file.execute(_TABLE.replace("TABLE", "TABLE IF NOT EXISTS", 1))

    def _check_ours(self) -> None:
        """Raise DatabaseError, before anything is written, for a database of somebody else."""
        found = self._file.execute("SELECT sql FROM sqlite_master").fetchall()
        if found not in ([], [(_TABLE,)]):
            self._file.close()
            raise sqlite3.DatabaseError("a database that is no cache of imbsynth")

    def load(self, key: str, *, pixels: bool) -> DecodedImage | None:
        """The picture of a key, if it is there; without `pixels`, they may be zeros."""
        with self._lock, suppress(sqlite3.Error):
            found = (
                self._waiting.get(key)
                or self._file.execute(
                    "SELECT facts, pixels, digest FROM pictures WHERE key = ?", (key,)
                ).fetchone()
            )
            if found is not None:
                return _picture(*found, pixels=pixels)
        return None

    def save(self, key: str, picture: DecodedImage) -> None:
        """Keep a picture, unless none are; of a large one, all but its pixels."""
        if not self.saving:
            return
        facts = json.dumps({**picture._asdict(), "pixels": picture.pixels.shape})
        kept = picture.pixels.nbytes <= LARGEST
        data = np.ascontiguousarray(picture.pixels).tobytes() if kept else None
        with self._lock:
            self._waiting[key] = facts, data, _digest(facts, data)
            if len(self._waiting) >= SAVED_AT_ONCE:
                self._write()

    def close(self) -> None:
        """Write what is left."""
        with self._lock, closing(self._file):
            self._write()

    def _write(self) -> None:
        rows = [(key, *row) for key, row in self._waiting.items()]
        self._waiting.clear()
        with suppress(sqlite3.Error), self._file:  # a full disk, or another process at work
            self._file.executemany("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?)", rows)


def _picture(facts: object, data: object, digest: object, *, pixels: bool) -> DecodedImage | None:
    """A row as a picture; None if it is damaged, or has no pixels and they are wanted."""
    whole_row = isinstance(facts, str) and (data is None or isinstance(data, bytes))
    if not whole_row or digest != _digest(str(facts), data if isinstance(data, bytes) else None):
        return None
    if data is None and pixels:
        return None
    try:
        found = parsed(str(facts))
        sides = sequence(found, "pixels")
        shape = tuple(whole(sides, i, 1) for i in range(len(sides)))
        values = np.broadcast_to(np.uint8(0), shape)
        if isinstance(data, bytes):
            values = np.frombuffer(data, np.uint8).reshape(shape)
        return DecodedImage(
            values,
            text(found, "mode"),
            flag(found, "alpha"),
            flag(found, "resized"),
            text(found, "digest"),
            flag(found, "coloured"),
        )
    except (Wrong, ValueError):
        return None


def _digest(facts: str, data: bytes | None) -> str:
    return hashlib.sha256(facts.encode() + b"\0" + (data or b"")).hexdigest()


def key_of(digest: str, *rules: object) -> str:
    """The key of a file, by the SHA-256 of its bytes, decoded by these rules."""
    return json.dumps([digest, RULES, PIL.__version__, *rules])


@contextmanager
def kept_in(folder: Path | None) -> Iterator[None]:
    """A block in which decoded images are kept in a folder; None changes nothing.

    Raises UserError if the folder cannot be used.
    """
    if folder is None:
        yield
        return
    cache = _open(folder)
    _opened.append(cache)
    try:
        yield
    finally:
        _opened.remove(cache)
        cache.close()


def current() -> PictureCache | None:
    """Where decoded images are kept now, if anywhere."""
    return _opened[-1] if _opened else None


@contextmanager
def not_saved() -> Iterator[None]:
    """A block in which no picture is kept: those of the whole folder will be."""
    cache = current()
    if cache is None:
        yield
        return
    before, cache.saving = cache.saving, False
    try:
        yield
    finally:
        cache.saving = before


def _open(folder: Path) -> PictureCache:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return PictureCache(folder / FILE)
    except OSError as error:
        problem, fix = error.strerror or str(error), "choose a place where you may write"
    except sqlite3.OperationalError as error:  # of the disk or its rights, not of the file
        problem, fix = f"{FILE}: {error}", "choose a place with room, where you may write"
    except sqlite3.Error as error:
        problem, fix = f"{FILE}: {error}", "remove that file, or choose another folder"
    raise UserError(f"{option('cache')} {folder}: {problem}", fix)
