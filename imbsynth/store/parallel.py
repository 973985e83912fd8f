"""Work through many files in order, with threads where they make it faster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# In smaller files, Python's own work, which holds the interpreter's lock, outweighs Pillow's, which
# does not: two threads take up to three times as long as one (measured on MNIST and CIFAR-10).
THREADS_PAY_FROM = 50_000  # bytes per file
SAMPLED = 20  # files whose size is looked up


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], *, threads: int
) -> Iterator[Result]:
    """function(item) for each item, in order, at most a few computed ahead of the caller."""
    if threads <= 1:
        yield from map(function, items)
        return
    remaining = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(function, item) for item in islice(remaining, 4 * threads))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(remaining, 1))
        finally:
            pool.shutdown(cancel_futures=True)


def ahead(items: Iterator[Item], count: int) -> Generator[Item, None, None]:
    """The same items, computed in another thread up to `count` before the caller asks for them."""
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
            continue  # whoever reads the file reports it
    return cores if sizes and sum(sizes) / len(sizes) >= THREADS_PAY_FROM else 1
