from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from imbsynth.store.parallel import ahead


@pytest.mark.parametrize("count", [0, 1, 5])
def test_ahead_changes_neither_items_nor_order(count: int) -> None:
    assert list(ahead(iter(range(count)), 2)) == list(range(count))


def test_ahead_works_in_another_thread_and_no_further_than_told() -> None:
    made: list[int] = []
    threads: set[int] = set()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            threads.add(threading.get_ident())
            yield number

    items = ahead(numbers(), 2)
    assert next(items) == 0
    items.close()
    assert len(made) <= 4
    assert threading.get_ident() not in threads


def test_an_error_reaches_the_reader() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = ahead(broken(), 3)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
