"""The spaces that samplers work in: pixels, and an autoencoder's latent space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from imbsynth.configs import RESIDUAL
from imbsynth.core.batches import Indices, images_at_once
from imbsynth.core.pixels import as_rows, to_bytes, to_unit
from imbsynth.engine.events import Advanced, OnEvent, Started, silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder
from imbsynth.engine.reading import Labelled
from imbsynth.runtime import ALONE, World
from imbsynth.store.filling import buffer_for
from imbsynth.store.row_files import Form

FLOAT, BYTES_AT_ONCE = 4, 64 << 20  # of a number; of points
ENCODED = 8 << 20  # bytes of latent vectors that a process computes before all get them


class Space(Protocol):
    """Images of a folder to points, and points to images."""

    name: str
    rows_at_once: int  # points that are turned into images at once

    @property
    def members(self) -> list[Indices]:
        """The images of each class, in class order."""

    def points(self, label: int) -> Tensor:
        """(n, ...) points of the images of a class, as they are stored."""

    def points_of(self, images: Indices) -> Tensor:
        """(m, ...) float points of images, which may be of any class."""

    def images(self, points: Tensor, base: Indices) -> Tensor:
        """(m, ...) float points -> (m, c, h, w) uint8 images on the CPU.

        base: (m,), the first parent of each, for a space that starts from an image.
        """


class Files:
    """Images that nothing looks at, for samplers that only copy."""

    name, rows_at_once = "pixel", 1000

    def __init__(self, members: list[Indices]) -> None:
        self.members = members

    def points(self, label: int) -> Tensor:
        raise TypeError("files have no points: this sampler is not one that only copies")

    def points_of(self, images: Indices) -> Tensor:
        raise TypeError("files have no points: this sampler is not one that only copies")

    def images(self, points: Tensor, _base: Indices) -> Tensor:
        raise TypeError("files have no points: they are copied")


class PixelSpace:
    """The identity: a point is an image."""

    name = "pixel"

    def __init__(
        self, images: Labelled, members: list[Indices], device: torch.device, rows_at_once: int
    ) -> None:
        """rows_at_once: of small images; of large ones, as many as `BYTES_AT_ONCE` allows."""
        self.members, self.device = members, device
        self.pixels = images.on(device)
        values = BYTES_AT_ONCE // FLOAT
        self.rows_at_once = images_at_once(self.pixels.shape[1:], rows_at_once, values)

    def points(self, label: int) -> Tensor:
        return self._stored(self.members[label])

    def points_of(self, images: Indices) -> Tensor:
        return to_unit(self._stored(images))

    def images(self, points: Tensor, _base: Indices) -> Tensor:
        return to_bytes(points).cpu()

    def _stored(self, images: Indices) -> Tensor:
        first, count = int(images[0]), len(images)
        if np.array_equal(images, np.arange(first, first + count)):  # a whole class: not copied
            return self.pixels[first : first + count].to(self.device)
        return self.pixels[torch.from_numpy(images).to(self.pixels.device)].to(self.device)


class LatentSpace:
    """An autoencoder's latent space (Dablain et al., 2022, Algorithm 1, "Generate Samples")."""

    name = "latent"

    def __init__(
        self, autoencoder: TrainedAutoencoder, images: Labelled, members: list[Indices]
    ) -> None:
        self.autoencoder, self.members = autoencoder, members
        self.rows_at_once = autoencoder.images_at_once
        self._pixels = as_rows(images.pixels)
        self._labels = images.labels
        form = Form((autoencoder.model.shape.latent_dim,), np.float32)
        self._latents = buffer_for(form, len(self._pixels), "latent vectors of all images")
        self._batches_at_once = max(1, ENCODED // (self.rows_at_once * form.nbytes))
        self._encoded: set[int] = set()  # classes

    def encode(
        self, labels: Iterable[int], on_event: OnEvent = silent, world: World = ALONE
    ) -> None:
        """Encode the classes that are not encoded yet, of which every process gets all.

        A class at a time, always in the same batches: its latent vectors do not depend on which
        other classes are asked for, nor on who computes them.
        """
        new = sorted(set(labels) - self._encoded)
        if not new:
            return
        batches = [batch for label in new for batch in self._batches(label)]
        total, done = sum(map(len, batches)), 0
        on_event(Started("encoding", total))
        at_once = world.size * self._batches_at_once
        for start in range(0, len(batches), at_once):
            some = batches[start : start + at_once]
            own = [torch.from_numpy(self._latents[:0])]
            for batch in some[world.share(len(some))]:
                own.append(self.autoencoder.encode(self._pixels[torch.from_numpy(batch)]))
                done += len(batch)
                on_event(Advanced(world.progress(done, total)))
            self._latents[np.concatenate(some)] = torch.cat(world.gathered(torch.cat(own))).numpy()
        self._encoded.update(new)

    def _batches(self, label: int) -> list[Indices]:
        """The images of a class that go through the network together."""
        own, size = self.members[label], self.rows_at_once
        return [own[start : start + size] for start in range(0, len(own), size)]

    def points(self, label: int) -> Tensor:
        self.encode([label])
        return self._stored(self.members[label])

    def points_of(self, images: Indices) -> Tensor:
        self.encode(np.unique(self._labels[images]).tolist())
        return self._stored(images)

    def _stored(self, images: Indices) -> Tensor:
        return torch.from_numpy(self._latents[images]).to(self.autoencoder.device)

    def images(self, points: Tensor, _base: Indices) -> Tensor:
        return self.autoencoder.decode(points)


class ResidualLatentSpace(LatentSpace):
    """The same space, where an image is its base, changed by what decoding says has changed.

    x_new = x_b + s(D(z_new) - D(z_b)), clipped to [0, 1]: the base x_b itself where z_new = z_b.
    What the autoencoder loses of a base, x_b - D(z_b), stays in the image, so that blur does not
    tell these images from real ones as long as z_new is near. A departure from DeepSMOTE, whose
    image is D(z_new). s(d) = sign(d) max(|d| - t, 0) with t = `min_change` is soft thresholding
    (Donoho, 1995): with t = 0, the identity, faint shadows lie where a real image is plain.
    """

    def __init__(
        self,
        autoencoder: TrainedAutoencoder,
        images: Labelled,
        members: list[Indices],
        min_change: float = 0.0,
    ) -> None:
        """min_change: of the [0, 1] pixel range."""
        super().__init__(autoencoder, images, members)
        self.min_change = min_change
        # In float16 an error is below a tenth of a gray level.
        form = Form(tuple(self._pixels.shape[1:]), np.float16)
        self._decoded = buffer_for(form, len(self._pixels), "decoded bases")
        self._group = np.full(len(self._pixels), -1)  # of each image: those decoded in one batch
        self._groups = [batch for label in range(len(members)) for batch in self._batches(label)]
        for group, own in enumerate(self._groups):
            self._group[own] = group
        self._done: set[int] = set()  # groups

    def images(self, points: Tensor, base: Indices) -> Tensor:
        self._decode(base)
        rows = torch.from_numpy(base)
        before = torch.from_numpy(self._decoded[base]).float()
        change = self.autoencoder.decode_unrounded(points) - before
        change = change.sign() * (change.abs() - self.min_change).clamp(min=0)
        made = to_bytes(to_unit(self._pixels[rows]) + change)
        # Another place in a batch may round otherwise: a copy must not depend on it.
        is_copy = (points == self.points_of(base)).all(1).cpu()
        made[is_copy] = self._pixels[rows[is_copy]]
        return made

    def _decode(self, base: Indices) -> None:
        """Decode the latent vectors of these images, each once, always in the same batches."""
        for group in sorted(set(self._group[base].tolist()) - self._done):
            own = self._groups[group]
            decoded = self.autoencoder.decode_unrounded(self.points_of(own))
            self._decoded[own] = decoded.to(torch.float16).numpy()
            self._done.add(group)


def latent_space(
    autoencoder: TrainedAutoencoder,
    images: Labelled,
    members: list[Indices],
    *,
    decode: str,
    min_change: float,
) -> LatentSpace:
    """The latent space with the decoding chosen."""
    if decode == RESIDUAL:
        return ResidualLatentSpace(autoencoder, images, members, min_change)
    return LatentSpace(autoencoder, images, members)
