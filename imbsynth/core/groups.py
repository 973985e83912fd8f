"""Groups of images that stay together when a folder is split, each class in its shares."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
_ROUNDS = 20  # of improvement; a few are enough as a rule
_GAIN = 1e-12  # what an improvement must be worth, so that rounding is none


def joined(keys: Iterable[Iterable[Hashable]]) -> NDArray[np.int64]:
    """(n,): which items belong together, numbered in the order of their first.

    keys: some for each of n items. Items with a key in common belong together, and so do those
    that a chain of such items connects.
    """
    above: list[int] = []  # of each item, one of its set that came earlier, or itself
    first: dict[Hashable, int] = {}

    def top(item: int) -> int:
        while above[item] != item:
            above[item] = above[above[item]]
            item = above[item]
        return item

    for item, own in enumerate(keys):
        above.append(item)
        for key in own:
            one, other = top(first.setdefault(key, item)), top(item)
            above[max(one, other)] = min(one, other)
    tops = np.array([top(item) for item in range(len(above))], np.int64)
    return np.unique(tops, return_inverse=True)[1].reshape(-1)


def split_groups(
    counts: Counts, shares: Sequence[float], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The part of each group, so that every part comes close to its share of every class.

    counts: (g, k) images of each class in each group; every class has some. shares: of the p parts,
    which add up to 1. Returns (g,) indices of parts. What is minimised is

        sum over parts i and classes j of (c_ij / n_j - s_i)^2 / s_i,

    with c_ij images of class j in part i, n_j in all, and s_i the share; the total of all classes
    counts as one more class. As in scikit-learn's StratifiedGroupKFold, groups are placed one by
    one, those that fill most of a class first, each where it leaves least to do. Then single groups
    are moved, first to parts without a class, then as long as the sum falls. A class may still be
    missing from a part: with groups of several classes, whether that can be avoided is a hard
    problem (set splitting).
    """
    return _Parts(counts, shares).filled(rng)


class _Parts:
    """Groups on their way into parts."""

    def __init__(self, counts: Counts, shares: Sequence[float]) -> None:
        with_total = np.concatenate([counts, counts.sum(1, keepdims=True)], 1)
        self.groups = with_total / with_total.sum(0)  # (g, k + 1) shares of each class
        self.has = counts > 0
        self.shares = np.array(shares)[:, None]
        self.content = np.zeros((len(shares), with_total.shape[1]))  # (p, k + 1) likewise
        self.number = np.zeros((len(shares), counts.shape[1]), np.int64)  # (p, k) of groups
        self.part = np.full(len(counts), -1)

    def filled(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """(g,): the part of each group."""
        order = rng.permutation(len(self.groups))
        order = order[np.argsort(-self.groups.max(1)[order], kind="stable")]
        for group in order:
            self._put(group, int(self._cost_of_adding(group).argmin()))
        self._fill_gaps()
        for _ in range(_ROUNDS):
            if not sum(self._improve(group) for group in order):
                break
        return self.part

    def _put(self, group: int, part: int) -> None:
        before = self.part[group]
        if before >= 0:
            self.content[before] -= self.groups[group]
            self.number[before] -= self.has[group]
        self.content[part] += self.groups[group]
        self.number[part] += self.has[group]
        self.part[group] = part

    def _cost_of_adding(self, group: int) -> NDArray[np.float64]:
        """(p,): what the sum grows by if a part gets this group."""
        own = self.groups[group]
        return ((2 * (self.content - self.shares) + own) * own / self.shares).sum(1)

    def _cost_of_moving(self, group: int) -> NDArray[np.float64]:
        """(p,): what the sum grows by if the group leaves its part for another; 0 to stay."""
        own, here = self.groups[group], self.part[group]
        left = (own - 2 * (self.content[here] - self.shares[here])) * own / self.shares[here]
        cost = self._cost_of_adding(group) + left.sum()
        cost[here] = 0
        return cost

    def _gaps_after(self, group: int) -> NDArray[np.int64]:
        """(p,): how many more parts have no image of a class, if the group goes to this part."""
        own, here = self.has[group], self.part[group]
        filled = ((self.number == 0) & own).sum(1)
        filled[here] = (own & (self.number[here] == 1)).sum()
        return filled[here] - filled

    def _improve(self, group: int) -> bool:
        """Move the group where it is better placed and leaves no gap; whether it was moved."""
        cost = np.where(self._gaps_after(group) > 0, np.inf, self._cost_of_moving(group))
        best = int(cost.argmin())
        if cost[best] > -_GAIN:
            return False
        self._put(group, best)
        return True

    def _fill_gaps(self) -> None:
        """Move groups to parts without a class, at the least cost, as long as gaps get fewer."""
        while (self.number == 0).any():
            part, label = np.argwhere(self.number == 0)[0]
            candidates = np.flatnonzero(self.has[:, label]).tolist()
            ranked = [
                (self._gaps_after(group)[part], self._cost_of_moving(group)[part], group)
                for group in candidates
            ]
            gaps, _, group = min(ranked)
            if gaps >= 0:
                return
            self._put(group, int(part))
