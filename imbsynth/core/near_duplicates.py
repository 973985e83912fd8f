"""Pictures that are nearly the same: saved again, resized, or of another brightness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 16  # pixels of the thumbnails that are compared
BITS_APART = 8  # of 64: what re-saving, resizing, noise or brightness change at most
ALIKE = 0.99  # correlation of the thumbnails from which two are nearly the same
_LOW = 8  # frequencies per axis
_BLOCK = 512  # images compared at once with as many others: stays in a processor's cache

Thumbs = NDArray[np.uint8]  # (n, SIDE, SIDE) gray
Floats = NDArray[np.float32]


class Pairs(NamedTuple):
    """Images that are nearly the same, one pair per row."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: Floats  # in [ALIKE, 1]: correlation of the two thumbnails


def perceptual_hash(thumbs: Thumbs) -> NDArray[np.bool_]:
    """(n, 64): which of the lowest frequencies of each thumbnail are above their median.

    The discrete cosine transform of 16x16 pixels, of which the 8x8 lowest frequencies are taken,
    without the mean and with the next vertical one in its place (pHash; Zauner, 2010, section
    3.2.1, with 32x32 pixels). Brightness and contrast do not change it, small detail hardly does.
    """
    steps = np.arange(SIDE, dtype=np.float32) + 0.5
    waves = np.cos(np.pi / SIDE * np.arange(_LOW + 1, dtype=np.float32)[:, None] * steps)
    spectrum = waves @ thumbs.astype(np.float32) @ waves[:_LOW].T  # (n, 9, 8)
    kept = np.concatenate(
        [spectrum.reshape(len(thumbs), -1)[:, 1 : _LOW * _LOW], spectrum[:, -1, :1]], 1
    )
    return kept > np.median(kept, axis=1, keepdims=True)


def near_pairs(thumbs: Thumbs, others: Thumbs | None = None) -> Iterator[tuple[int, Pairs]]:
    """The pairs among the images, or with others: batches, each with how many rows are done.

    Nearly the same are images whose hashes differ in at most BITS_APART bits and whose thumbnails
    have a correlation of at least ALIKE. Images of one colour have no correlation, so they are
    near to none. The Hamming distance of all hashes is a matrix product: of u, v in {-1, 1}^64,
    (64 - u v) / 2.
    """
    codes, units = _signs(thumbs), _units(thumbs)
    alone = others is None
    other_codes, other_units = (
        (codes, units) if others is None else (_signs(others), _units(others))
    )
    least = codes.shape[1] - 2 * BITS_APART
    for top in range(0, len(codes), _BLOCK):
        rows = slice(top, top + _BLOCK)
        found = []
        for left in range(top if alone else 0, len(other_codes), _BLOCK):
            columns = slice(left, left + _BLOCK)
            first, second = np.nonzero(codes[rows] @ other_codes[columns].T >= least)
            if alone and left == top:
                first, second = first[first < second], second[first < second]
            similarity = _similarity(units[rows], other_units[columns], first, second)
            near = similarity >= ALIKE
            found.append(Pairs(first[near] + top, second[near] + left, similarity[near]))
        yield min(top + _BLOCK, len(codes)), Pairs(*map(np.concatenate, zip(*found, strict=True)))


def _signs(thumbs: Thumbs) -> Floats:
    return np.where(perceptual_hash(thumbs), np.float32(1), np.float32(-1))


def _units(thumbs: Thumbs) -> Floats:
    """(n, d): vectors whose products are correlations; zeros for an image of one colour."""
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.maximum(length, np.finfo(np.float32).tiny)


def _similarity(
    units: Floats, others: Floats, first: NDArray[np.int64], second: NDArray[np.int64]
) -> Floats:
    """(p,): the product of each pair, by one matrix of those that are in any."""
    rows, row_of = np.unique(first, return_inverse=True)
    columns, column_of = np.unique(second, return_inverse=True)
    return (units[rows] @ others[columns].T)[row_of, column_of]
