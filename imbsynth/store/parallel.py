"""Work on many files, in order, with threads where they pay."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Below this size Python's own work on a file exceeds Pillow's outside the lock, and two threads
# take up to three times as long as one (measured on MNIST and CIFAR-10 files).
THREADS_PAY_FROM = 50_000  # bytes a file
SAMPLED = 20  # files whose size is looked at


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], *, threads: int
) -> Iterator[Result]:
    """function(item) for each item, in order, at most a few results ahead of the reader."""
    if threads <= 1:
        yield from map(function, items)
        return
    window = 4 * threads
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(function, item) for item in items[:window]]
        try:
            for following in range(window, len(items) + window):
                yield futures.pop(0).result()
                if following < len(items):
                    futures.append(pool.submit(function, items[following]))
                if not futures:
                    return
        finally:
            pool.shutdown(cancel_futures=True)


def ahead(items: Iterator[Item], count: int) -> Generator[Item, None, None]:
    """The same items, made in another thread up to `count` before the reader asks for them."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, items, end) for _ in range(count))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            pool.shutdown(cancel_futures=True)


def threads_for(root: Path, paths: Sequence[str], cores: int) -> int:
    """How many threads to read these files with."""
    step = max(1, len(paths) // SAMPLED)
    sizes = []
    for path in paths[::step]:
        try:
            sizes.append(os.stat(root / path).st_size)
        except OSError:
            continue  # whoever reads it says so
    return cores if sizes and sum(sizes) / len(sizes) >= THREADS_PAY_FROM else 1
