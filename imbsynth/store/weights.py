"""Published weight files: found on this machine or downloaded, and trusted only by digest."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from imbsynth.errors import UserError
from imbsynth.store.folders import digest_of, read_regular
from imbsynth.store.outputs import claim, new_file

TIMEOUT = 20.0  # seconds without an answer from the server
LARGEST = 2_000_000_000  # bytes that a download may have

Tensors = dict[str, Tensor] | list[Tensor]
# What readers raise for a file that is damaged, or of another kind.
_NO_WEIGHTS = (
    UnpicklingError,
    SafetensorError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Published(NamedTuple):
    """A file that others have published."""

    digest: str  # SHA-256, hexadecimal, or its beginning where no more was published
    read: Callable[[bytes], Tensors]  # tensors by name, or in the file's order


class WeightPlaces(NamedTuple):
    """Where a file may be, in the order of looking."""

    cached: Sequence[Path]  # the first is where a download goes
    package: str  # an installed package that carries it, if any; it is not imported
    in_package: str  # the file's name there
    url: str  # "" where there is nothing to download
    what: str  # "the Inception network", for messages
    ways: str  # how a person gets the file


def find(
    places: WeightPlaces, known: Mapping[str, Published], *, on_download: Callable[[], None]
) -> Path:
    """The first of the places that has a file, a download as the last resort; UserError if none."""
    found = present(places)
    if found is not None:
        return found
    target = places.cached[0]
    missing = f"no weights of {places.what} on this machine"
    if not places.url:
        raise UserError(missing, places.ways)
    on_download()
    problem = _download(places.url, target, [one.digest for one in known.values()])
    if problem:
        raise UserError(f"{missing}, and {problem}", places.ways)
    return target


def present(places: WeightPlaces) -> Path | None:
    """The first of the places that has a file, if any has."""
    here = [*places.cached, *_of_package(places.package, places.in_package)]
    return next((path for path in here if path.is_file()), None)


def _of_package(package: str, name: str) -> list[Path]:
    spec = find_spec(package) if package else None
    return [Path(folder, name) for folder in (spec and spec.submodule_search_locations) or ()]


def _download(url: str, target: Path, digests: list[str]) -> str:
    """Put the file in place; returns why that is impossible, or ""."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            data = response.read(LARGEST)
    except OSError as error:
        return f"they cannot be downloaded ({getattr(error, 'reason', error)})"
    if not digest_of(data).startswith(tuple(digests)):
        return "what was downloaded has another digest than the published file"
    with claim(target), new_file(target) as part:
        part.write_bytes(data)
    return ""


def read(path: Path, known: Mapping[str, Published]) -> tuple[str, Tensors]:
    """Digest and tensors of a published file; UserError for any other file, before it is parsed."""
    data = read_regular(path)
    digest = digest_of(data)
    for published in known.values():
        if digest.startswith(published.digest):
            return digest, published.read(data)
    names = " or ".join(known)
    raise UserError(
        f"{path}: not the published weights, or not all of them ({len(data):,} bytes, SHA-256 "
        f"{digest[:12]}...)",
        f"give {names}, whole and unchanged",
    )


def read_any(path: Path) -> tuple[str, dict[str, Tensor]]:
    """Digest and tensors, by name, of a weight file of whatever origin; UserError for others.

    A file of torch.save, or of safetensors. No code in it runs, whatever it holds.
    """
    data = read_regular(path)
    found: Any = None
    try:
        is_safe = path.suffix == ".safetensors"
        found = load_safetensors(data) if is_safe else named_tensors(data)
        reason = "it holds no tensors by name"
    except _NO_WEIGHTS as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]  # as many trainers write it
    if not isinstance(found, dict) or not found or not all(map(_is_named, found.items())):
        raise UserError(
            f"{path}: no weights of a network can be read from it ({reason})",
            "give a file of torch.save with the state of a network, or a .safetensors file",
        )
    return digest_of(data), found


def _is_named(pair: tuple[Any, Any]) -> bool:
    return isinstance(pair[0], str) and isinstance(pair[1], Tensor)


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
