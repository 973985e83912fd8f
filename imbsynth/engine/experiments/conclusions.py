"""What a verdict on a folder amounts to, in sentences: on the screen and in a report."""

from __future__ import annotations

from imbsynth.engine.experiments.verdicts import Verdict

EXPLANATION = """\
In percent, with 95 % intervals: recall of the rarest classes (in brackets their number of images)
and ACSA, over all images, each tested once. Gain: points of ACSA, image by image, over plain
training, or over what the method adds to: strong + AOS over strong. A method helps if the whole
interval of its gain is above one point."""
STOPPED = """\
A method was stopped where it was surely more than a point of ACSA behind the best one, with
intervals that hold for all pairs of methods together. What is said of it is of the folds it did."""


def explanation(verdicts: list[Verdict]) -> str:
    """How to read the table."""
    any_stopped = any(found.stopped for found in verdicts)
    return f"{EXPLANATION}\n{STOPPED}" if any_stopped else EXPLANATION


def conclusions(verdicts: list[Verdict], counts: dict[str, int]) -> list[str]:
    """What is certain; or what it would take to be."""
    certain = [
        f"{found.method} {found.words}" for found in verdicts if found.words in ("helps", "hurts")
    ]
    if certain:
        return certain
    lines = [
        "No method certainly helps or hurts; a larger --budget, or more --time, may show more."
    ]
    unclear = [found for found in verdicts if found.wanted]
    if unclear:
        found = max(unclear, key=lambda verdict: abs(verdict.gain or 0))
        lines.append(
            f"Whether {found.method} makes a difference, if it is as large as it seems, would be "
            f"clear with about {_more_images(found.wanted, counts)}."
        )
    return lines


def _more_images(wanted: dict[str, int], counts: dict[str, int]) -> str:
    if len(wanted) == 1:
        ((name, more),) = wanted.items()
        return f"{more} more images of class {name}"
    times = 1 + sum(wanted.values()) / sum(counts[name] for name in wanted)
    return f"{times:.2g} times as many images of every class"
