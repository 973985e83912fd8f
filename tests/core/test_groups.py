from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from imbsynth.core.groups import joined, split_groups

Counts = NDArray[np.int64]


def test_a_chain_of_common_keys_joins() -> None:
    keys = [("a", 1), ("b", 2), ("c", 3), ("b", 4), ("d", 1), ("e", 4)]
    assert joined(keys).tolist() == [0, 1, 2, 1, 0, 1]
    assert joined([]).tolist() == []


@given(st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=3), max_size=30))
def test_what_has_a_key_in_common_is_joined_and_nothing_else(keys: list[set[int]]) -> None:
    found = joined(keys)
    with_set: dict[int, set[int]] = defaultdict(set)
    for own, number in zip(keys, found.tolist(), strict=True):
        with_set[number] |= own
    sets = list(with_set.values())
    assert all(not sets[i] & sets[j] for i in range(len(sets)) for j in range(i))
    for number in with_set:  # connected: growing from the first member reaches all others
        members = [own for own, of in zip(keys, found, strict=True) if of == number]
        reached = set(members[0])
        for _ in members:
            reached |= {key for own in members if own & reached for key in own}
        assert reached == with_set[number]


def deviation(counts: Counts, part: Counts, shares: list[float]) -> float:
    """The largest distance of a part from its share, over parts and classes."""
    held = np.stack([counts[part == i].sum(0) for i in range(len(shares))])
    return float(abs(held / counts.sum(0) - np.array(shares)[:, None]).max())


def tracks(rng: np.random.Generator, groups: int, classes: int, mixed: bool) -> Counts:
    """(g, k) images, in groups of 1 to 40, of one class or several; every class has some."""
    sizes = rng.integers(1, 41, groups)
    skewed = 0.5 ** np.arange(classes)
    label = np.concatenate([np.tile(np.arange(classes), 6), rng.choice(classes, groups)])[:groups]
    counts = np.zeros((groups, classes), np.int64)
    for group, own in enumerate(np.eye(classes, dtype=np.int64)[label]):
        share = rng.dirichlet(skewed) if mixed else own
        counts[group] = np.maximum(rng.multinomial(sizes[group], share), own)
    return counts


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    mixed=st.booleans(),
    shares=st.sampled_from([[0.8, 0.1, 0.1], [0.8, 0.2], [0.6, 0.2, 0.2], [0.2] * 5]),
)
def test_every_part_has_every_class_and_about_its_share(
    seed: int, mixed: bool, shares: list[float]
) -> None:
    counts = tracks(np.random.default_rng(seed), 60, 3, mixed)
    part = split_groups(counts, shares, np.random.default_rng(seed))
    assert set(part) <= set(range(len(shares)))
    held = np.stack([counts[part == i].sum(0) for i in range(len(shares))])
    assert (held > 0).all()
    # No more than half of the largest group from the wanted share, where single groups decide.
    assert deviation(counts, part, shares) <= (counts / counts.sum(0)).max() / 2 + 0.05


def test_single_images_come_out_in_the_exact_shares() -> None:
    counts = np.repeat(np.eye(2, dtype=np.int64), [80, 20], axis=0)
    part = split_groups(counts, [0.8, 0.1, 0.1], np.random.default_rng(0))
    held = [counts[part == i].sum(0).tolist() for i in range(3)]
    assert held == [[64, 16], [8, 2], [8, 2]]


def test_the_smallest_part_gets_one_of_three_groups() -> None:
    counts = np.array([[5, 0], [5, 0], [5, 0], [0, 9], [0, 1], [0, 1]])
    part = split_groups(counts, [0.8, 0.1, 0.1], np.random.default_rng(0))
    assert sorted(part[:3]) == sorted(part[3:]) == [0, 1, 2]
    assert part[3] == 0


def test_the_same_random_numbers_give_the_same_parts() -> None:
    counts = tracks(np.random.default_rng(0), 50, 3, True)
    one, same, other = (
        split_groups(counts, [0.5, 0.5], np.random.default_rng(seed)).tolist() for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize(("mixed", "most"), [(False, 1.05), (True, 0.6)])
def test_folds_are_as_balanced_as_those_of_scikit_learn(mixed: bool, most: float) -> None:
    """Of groups of one class about as much; of several classes, moving them afterwards helps."""
    ours, theirs = [], []
    for seed in range(20):
        counts = tracks(np.random.default_rng(seed), 60, 3, mixed)
        part = split_groups(counts, [0.2] * 5, np.random.default_rng(seed))
        ours.append(deviation(counts, part, [0.2] * 5))
        groups = np.repeat(np.arange(len(counts)), counts.sum(1))
        labels = np.concatenate([np.repeat(np.arange(3), own) for own in counts])
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for i, (_, test) in enumerate(folds.split(labels, labels, groups)):
            part[np.unique(groups[test])] = i
        theirs.append(deviation(counts, part, [0.2] * 5))
    assert np.mean(ours) <= most * np.mean(theirs)
