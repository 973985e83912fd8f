"""Whether a class has enough images for its recall to say something."""

from __future__ import annotations

from collections.abc import Mapping

FEW = 10  # images of a class, whose recall then moves by a tenth and more with each


def few_to_judge_by(counts: Mapping[str, int]) -> str:
    """What is to be said of the smallest class that has images; "" if that has enough."""
    count, name = min((count, name) for name, count in counts.items() if count)
    if count >= FEW:
        return ""
    if count == 1:
        return f"only 1 image of class {name}: its recall there is 0 or 1"
    return f"only {count} images of class {name}: each moves its recall by 1/{count}"
