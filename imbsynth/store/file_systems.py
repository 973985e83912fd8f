"""Where sources lie: on this machine, or at an address that fsspec knows."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Protocol

from imbsynth.errors import UserError, option
from imbsynth.extras import check_extra
from imbsynth.store.folders import open_regular, size_of_regular, unreadable

EXTRA = "fsspec"
CHUNK = 1 << 20  # bytes
# what protocols call that which changes with a file: digests, versions and times
VERSION = re.compile(
    r"(?i)e-?tag|.*md5.*|digest|sha\d*|(check|chk)sum|crc(32c)?|generation|blob_id|lfs|version|"
    r"version_?id|mtime|created|.*modif.*|updated|.*write_?time|date_time"
)

# what else the packages for protocols raise for addresses that they cannot use
_OF_ADDRESSES = (OSError, ValueError, TypeError, AttributeError, LookupError, NotImplementedError)


class FolderEntry(NamedTuple):
    """What is directly in a folder."""

    path: str
    name: str  # the last part
    is_folder: bool


class FileSystem(Protocol):
    """What is asked of a place with files. Paths are texts, as messages show them."""

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""

    def is_file(self, path: str) -> bool:
        """Whether there is a file."""

    def entries(self, path: str) -> list[FolderEntry]:
        """What is in a folder, sorted."""

    def matching(self, pattern: str) -> list[str]:
        """The files whose paths a pattern with *, ? or [] describes, sorted."""

    def below(self, path: str) -> list[str]:
        """The paths of the files below a folder, relative to it, sorted."""

    def size(self, path: str) -> int:
        """Of a file, in bytes."""

    def version(self, path: str) -> str:
        """A text that changes with the content of a file."""

    def refresh(self) -> None:
        """Forget what was asked before."""

    def open(self, path: str) -> BinaryIO:
        """A file, to be read."""


class LocalFiles:
    """Files of this machine; UserError for those that cannot be read."""

    def is_folder(self, path: str) -> bool:
        """Links are followed."""
        return os.path.isdir(path)

    def is_file(self, path: str) -> bool:
        """Links are followed."""
        return os.path.isfile(path)

    def entries(self, path: str) -> list[FolderEntry]:
        """None of a folder that cannot be listed: who reads it says so."""
        try:
            with os.scandir(path) as found:
                return sorted(FolderEntry(one.path, one.name, one.is_dir()) for one in found)
        except OSError:
            return []

    def matching(self, pattern: str) -> list[str]:
        """See `FileSystem`."""
        return sorted(filter(os.path.isfile, glob.glob(pattern)))

    def below(self, path: str) -> list[str]:
        """None: a local folder is read where it is."""
        return []

    def size(self, path: str) -> int:
        """See `FileSystem`."""
        return size_of_regular(Path(path))

    def version(self, path: str) -> str:
        """SHA-256 of the content."""
        total = hashlib.sha256()
        with self.open(path) as file:
            try:
                while chunk := file.read(CHUNK):
                    total.update(chunk)
            except OSError as error:
                raise unreadable(Path(path), error) from None
        return total.hexdigest()

    def refresh(self) -> None:
        """Nothing is remembered."""

    def open(self, path: str) -> BinaryIO:
        """See `FileSystem`."""
        try:
            return io.BufferedReader(open_regular(Path(path)))
        except OSError as error:
            raise unreadable(Path(path), error) from None


class RemoteFiles:
    """Files at addresses of one protocol, through fsspec."""

    def __init__(self, address: str) -> None:
        """address: any of them. UserError if the packages for its protocol are missing."""
        check_extra(EXTRA, ["fsspec"], asked=address, instead="copy the files to a local folder")
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations

        self._address, protocol = address, address.partition("://")[0]
        try:
            with _Explained(address):
                self._files: Any = url_to_fs(address)[0]
        except ImportError as error:
            package = str(known_implementations[protocol]["class"]).partition(".")[0]
            raise UserError(
                f"{address}: {package} cannot be imported ({error})",
                f"install it with `pip install {package}`, or copy the files to a local folder",
            ) from None

    def is_folder(self, path: str) -> bool:
        """See `FileSystem`."""
        with _Explained(path):
            return bool(self._files.isdir(path))

    def is_file(self, path: str) -> bool:
        """See `FileSystem`."""
        with _Explained(path):
            return bool(self._files.isfile(path))

    def entries(self, path: str) -> list[FolderEntry]:
        """See `FileSystem`."""
        with _Explained(path):
            listed = self._files.ls(path, detail=True)
        found = [(self.shown(one["name"].rstrip("/")), one["type"]) for one in listed]
        return sorted(
            FolderEntry(inner, inner.rpartition("/")[2], kind == "directory")
            for inner, kind in found
            if inner != self._canonical(path)  # some servers list a folder in itself
        )

    def matching(self, pattern: str) -> list[str]:
        """See `FileSystem`."""
        with _Explained(pattern):
            found = [self.shown(path) for path in self._files.glob(pattern)]
        return sorted(filter(self.is_file, found))

    def below(self, path: str) -> list[str]:
        """See `FileSystem`."""
        with _Explained(path):
            found = sorted(map(self.shown, self._files.find(path)))
        own = self._canonical(path)
        return [one.removeprefix(own).lstrip("/") for one in found]

    def size(self, path: str) -> int:
        """0 where the server does not say."""
        with _Explained(path):
            return int(self._files.info(path)["size"] or 0)

    def version(self, path: str) -> str:
        """What the server says: a digest, a version or a time, and the size.

        The content is not read for it. UserError for a file of which the server says none of them:
        the package's own `ukey` is then the same for all contents.
        """
        with _Explained(path):
            told = self._files.info(path)
        found = {str(name): str(told[name]) for name in told if VERSION.fullmatch(str(name))}
        known = {name: value for name, value in sorted(found.items()) if value not in ("", "None")}
        if not known:
            raise UserError(
                f"{path}: {option('cache')} keeps images by version, and the server says none",
                f"leave {option('cache')} out, or copy the files to a local folder",
            )
        return f"{path} {told.get('size')} {known}"

    def refresh(self) -> None:
        """Packages remember what a server said."""
        with _Explained(self._address):
            self._files.invalidate_cache()

    def open(self, path: str) -> BinaryIO:
        """A copy that goes when it is closed: whoever reads it meets no error of a server."""
        copy: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
        with _Explained(path), self._files.open(path, "rb") as file:
            shutil.copyfileobj(file, copy, CHUNK)
        copy.seek(0)
        return copy

    def shown(self, path: str) -> str:
        """A path as the package gives it, as an address."""
        return str(self._files.unstrip_protocol(path))

    def _canonical(self, path: str) -> str:
        return self.shown(str(self._files._strip_protocol(path)).rstrip("/"))


class _Explained:
    """A block in which errors of a server, or of the package that talks to it, are the user's.

    Such packages have exceptions of their own, which share no type: they are known by their origin.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, Exception):
            return
        of_a_package = kind.__module__.partition(".")[0] not in ("builtins", "imbsynth")
        if issubclass(kind, _OF_ADDRESSES) or of_a_package:
            raise UserError(
                f"{self._address}: cannot be read ({error or kind.__name__})",
                "check the address, and the credentials that the package for it uses",
            ) from None


def address_of(path: Path) -> str | None:
    """The address that was given as a path, which has lost slashes by that; None for a path.

    A path is no address if there is something at it. Three slashes, and so the default server, are
    taken to have been meant with hdfs, unless there is a port.
    """
    found = re.fullmatch(r"([a-z][a-z0-9+.-]+):/(.*)", str(path), re.DOTALL)
    if found is None or os.path.lexists(path):
        return None
    local = found[1] in ("file", "local")
    default = found[1] == "hdfs" and not re.match(r"[^/]+:\d+(/|$)", found[2])
    slashes = ":///" if local or default else "://"
    return f"{found[1]}{slashes}{found[2]}"
