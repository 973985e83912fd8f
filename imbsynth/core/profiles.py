"""Class sizes: how imbalanced they are, and the shapes of imbalance that the literature uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

_ROUNDING = 1e-9  # so that 0.29 * 100 classes are 29, not the floor of 28.999999999999996


def rho(counts: Mapping[str, int]) -> float:
    """Imbalance ratio: largest class / smallest class."""
    return max(counts.values()) / min(counts.values())


def mu(counts: Mapping[str, int]) -> float:
    """Fraction of classes that are minority classes: smaller than the largest."""
    largest = max(counts.values())
    return sum(n < largest for n in counts.values()) / len(counts)


def by_size(counts: Mapping[str, int]) -> list[str]:
    """Class names from the largest to the smallest, ties in name order."""
    return sorted(counts, key=lambda name: (-counts[name], name))


def exponential(counts: Mapping[str, int], ratio: float) -> dict[str, int]:
    """floor(n_max * R^(-i/(C-1))) for the i-th largest of C classes (Cui et al., 2019)."""
    steps = max(len(counts) - 1, 1)
    return _along(counts, lambda n, i: n * ratio ** (-i / steps))


def linear(counts: Mapping[str, int], ratio: float) -> dict[str, int]:
    """From n_max down to n_max / R in equal steps (Buda et al., 2018), rounded down."""
    steps = max(len(counts) - 1, 1)
    return _along(counts, lambda n, i: n - (n - n / ratio) * i / steps)


def step(counts: Mapping[str, int], ratio: float) -> dict[str, int]:
    """The smaller half of the classes reduced to n_max / R, the others kept (Buda et al., 2018)."""
    names = by_size(counts)
    cut = set(names[len(names) - len(names) // 2 :])
    size = _floor(counts[names[0]] / ratio)
    return {name: size if name in cut else n for name, n in counts.items()}


def equalised(
    counts: Mapping[str, int], ratio: float, minority_fraction: float, rng: np.random.Generator
) -> dict[str, int]:
    """The four steps of the AOS paper (section 4.1).

    Find the smallest class; reduce all others to its size n; draw floor(mu * C) classes at random;
    reduce these to n / ratio, rounded down.
    """
    size = min(counts.values())
    names = sorted(counts)
    minority = rng.permutation(len(names))[: _floor(minority_fraction * len(names))]
    cut = {names[i] for i in minority}
    return {name: _floor(size / ratio) if name in cut else size for name in counts}


def shares(count: int, fractions: Sequence[float]) -> list[int]:
    """Sizes of parts that split `count` images in the ratio of `fractions`; no part is empty.

    The largest remainders are rounded up; then a part without images takes one from the
    largest part. Raises ValueError if there are fewer images than parts.
    """
    if count < len(fractions):
        raise ValueError(f"{count} images for {len(fractions)} parts")
    exact = [count * fraction for fraction in fractions]
    sizes = [_floor(part) for part in exact]
    remainders = sorted(range(len(exact)), key=lambda i: (sizes[i] - exact[i], i))
    for i in remainders[: count - sum(sizes)]:
        sizes[i] += 1
    for i, size in enumerate(sizes):
        if size == 0:
            sizes[sizes.index(max(sizes))] -= 1
            sizes[i] = 1
    return sizes


def _along(counts: Mapping[str, int], size: Callable[[int, int], float]) -> dict[str, int]:
    """The size for each class from n_max and its rank by size, in the order of `counts`."""
    names = by_size(counts)
    rank = {name: i for i, name in enumerate(names)}
    return {name: _floor(size(counts[names[0]], rank[name])) for name in counts}


def _floor(value: float) -> int:
    return math.floor(value + _ROUNDING)
