"""How time and memory grow: train-ae, generate and fid at 1, 4 and 16 times the images.

    python -m benchmarks.growth --images 100 --plot growth.png

Images are noise of 28x28 pixels in two classes. Each command runs in a process of its own; the time
that it takes for next to no images is what loading takes, and is taken off. Prints one JSON line:
for each command and number of images, milliseconds an image and MiB at the peak.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.processes import IMBSYNTH, Cost, cost_of

TIMES = (1, 4, 16)
FEWEST = 4  # images of a run that is mostly loading
LOADINGS = 3  # such runs; the fastest counts
COMMANDS = {
    "train-ae": ["train-ae", "{src}", "--out", "{ae}", "--epochs", "1", "--force"],
    "generate": ["generate", "{src}", "{out}", "--ae", "{ae}", "--to", "{images}", "--force"],
    "fid": ["fid", "{src}", "{src}", "--features", "pixels"],
}


def measured(arguments: list[str]) -> Cost:
    """A command in a process of its own; it must succeed."""
    return cost_of([*IMBSYNTH, *arguments, "--device", "cpu", "--quiet", "--json"])


def make_folder(root: Path, images: int) -> None:
    """So many images, three quarters of them in one of two classes."""
    rng = np.random.default_rng(0)
    for name in ("many", "few"):
        (root / name).mkdir(parents=True)
    for number, pixels in enumerate(rng.integers(0, 256, (images, 28, 28), dtype=np.uint8)):
        Image.fromarray(pixels).save(
            root / ("few" if number % 4 == 0 else "many") / f"{number}.png"
        )


def draw(costs: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """A panel for the time an image and one for memory, a line a command."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    panels = {"processor_ms_an_image": "processor time an image, ms", "mib": "memory, MiB"}
    for panel, (key, label) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for name, cost in costs.items():
            panel.plot(
                [int(n) for n in cost], [one[key] for one in cost.values()], "o-", label=name
            )
        images = [int(n) for n in next(iter(costs.values()))]
        panel.set(xlabel="images", ylabel=label, xscale="log")
        panel.set_xticks(images, map(str, images))
        panel.minorticks_off()
        panel.set_ylim(bottom=0)
        panel.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure every command at every size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=500, help="of the smallest folder")
    parser.add_argument("--plot", type=Path, help="where to draw a picture")
    options = parser.parse_args()
    loading: dict[str, Cost] = {}
    costs: dict[str, dict[str, dict[str, float]]] = {name: {} for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for images in (*[FEWEST] * LOADINGS, *(options.images * times for times in TIMES)):
            src, out, ae = (Path(folder, f"{images}-{name}") for name in ("src", "out", "ae"))
            if not src.exists():
                make_folder(src, images)
            for name, words in COMMANDS.items():
                arguments = [
                    word.format(src=src, out=out, ae=f"{ae}.safetensors", images=images)
                    for word in words
                ]
                cost = measured(arguments)
                if images == FEWEST:
                    loading[name] = min(loading.get(name, cost), cost)
                    continue
                costs[name][str(images)] = {
                    "ms_an_image": _ms(cost.seconds - loading[name].seconds, images),
                    "processor_ms_an_image": _ms(cost.processor - loading[name].processor, images),
                    "mib": round(cost.mib),
                }
    if options.plot:
        draw(costs, options.plot)
    print(json.dumps(costs))


def _ms(seconds: float, images: int) -> float:
    return round(1000 * seconds / images, 3)


if __name__ == "__main__":
    main()
