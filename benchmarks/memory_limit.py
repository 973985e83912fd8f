"""Training on a folder that is too large for memory, beside the same with all of it in memory.

    python -m benchmarks.memory_limit cifar10/train --images 200000 --memory 200MB

Makes a folder of that many images, copies of the given ones with a pixel changed, and trains on it
for one epoch and for three: in memory, from a nameless file, and from a file in a new cache, once
more when it is there. Prints one JSON line: for each way the peak memory in MiB beyond what the
command takes on a hundredth of the folder, the processor time of an epoch (half of what two more
epochs take) and of all before it, and whether the checkpoints are the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.processes import IMBSYNTH, cost_of
from imbsynth.store.folders import scan

Found = dict[str, float | str]
FEW, MANY = 1, 3  # epochs


def make_folder(source: Path, target: Path, count: int) -> None:
    """`count` different images of the classes of `source`, or one less for some classes."""
    files = scan(source).files
    share = -(-count // len(files))
    for name, paths in files.items():
        (target / name).mkdir(parents=True)
        for number in range(share):
            with Image.open(source / paths[number % len(paths)]) as image:
                pixels = np.array(image)
            copy = number // len(paths)
            pixels[0, copy] ^= 1 if copy else 0
            Image.fromarray(pixels).save(target / name / f"{number:07d}.png", compress_level=1)


def trained(src: Path, options: argparse.Namespace, epochs: int, *more: str) -> tuple[Found, str]:
    """What a training costs, and the digest of its checkpoint."""
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        out = Path(folder, "clf.safetensors")
        command = [*IMBSYNTH, "aos-train", str(src), "--out", str(out), "--quiet"]
        command += ["--oversample", "ros", "--val-fraction", "0.02", "--epochs", str(epochs)]
        command += ["--images-per-epoch", str(options.images_per_epoch), *more]
        cost = cost_of(command)
        digest = hashlib.sha256(out.read_bytes()).hexdigest()
    return {"mib": cost.mib, "processor": cost.processor, "seconds": cost.seconds}, digest


def measured(src: Path, base: float, options: argparse.Namespace, *more: str) -> Found:
    """Peak, start and epoch of one way to hold the images."""
    (few, _), (many, digest) = (trained(src, options, n, *more) for n in (FEW, MANY))
    epoch = (float(many["processor"]) - float(few["processor"])) / (MANY - FEW)
    return {
        "mib_beyond_small": round(max(float(few["mib"]), float(many["mib"])) - base),
        "processor_start": round(float(few["processor"]) - FEW * epoch, 1),
        "processor_epoch": round(epoch, 1),
        "checkpoint": digest,
    }


def main() -> None:
    """Measure every way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--images-per-epoch", type=int, default=20_000)
    parser.add_argument("--memory", default="200MB")
    parser.add_argument("--work", type=Path, help="where to put the images and the cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        src, small, cache = (Path(name, part) for part in ("src", "small", "cache"))
        os.environ["TMPDIR"] = name
        make_folder(options.source, src, options.images)
        make_folder(options.source, small, options.images // 100)
        base = float(trained(small, options, FEW)[0]["mib"])
        limit = ("--memory", options.memory)
        found = {
            "in_memory": measured(src, base, options, "--memory", "100%"),
            "from_file": measured(src, base, options, *limit),
            "from_cache": {},
        }
        first, _ = trained(src, options, FEW, *limit, "--cache", str(cache))
        kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        found["from_cache"] = measured(src, base, options, *limit, "--cache", str(cache))
        shutil.rmtree(cache)
    epochs = {way: float(one["processor_epoch"]) for way, one in found.items()}
    result = {
        "images": options.images,
        "mib_small": round(base),
        **found,
        "processor_first_with_cache": round(float(first["processor"]), 1),
        "cache_mib": round(kept / 2**20),
        "ratio_of_epochs": round(epochs["from_file"] / epochs["in_memory"], 3),
        "same_bytes": len({str(one["checkpoint"]) for one in found.values()}) == 1,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
