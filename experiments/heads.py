"""Which head is best, and do synthetic features help? All heads of one training, on test images.

    python -m experiments.heads data/mnist --counts 4000,2000,1000,750,500,350,200,100,60,40 \
        --seeds 0,1,2,3,4 --out runs/heads/mnist

For every seed: an imbalanced copy of DATA/train, a classifier trained on it with copies (or with
balanced softmax and mixup: --body strong) and affine augmentation, a fifth of the images held out
for validation, and then every head that `aos-train --head-epochs` knows. All of them are scored on
DATA/test, and two rules that could choose one by the validation images are compared. A seed that is
in OUT already is not run again. The table has the paired differences from the head as trained: mean
and 95 % interval of Student's t over seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from imbsynth.configs import AosTrainConfig, ImbalanceConfig
from imbsynth.core.tables import FEATURE_SAMPLERS
from imbsynth.engine import aos_train, imbalance
from imbsynth.engine.events import silent
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.classifier import ClassifierTask
from imbsynth.engine.training.head import (
    AS_TRAINED,
    head_rank,
    heads_of,
    heads_with_features,
    judged_features,
    logits_of,
)
from imbsynth.engine.training.head_fitting import HeadState
from imbsynth.engine.training.keeper import epoch_rank
from imbsynth.engine.training.states import weights_now
from imbsynth.engine.training.validation import Validation
from imbsynth.runtime import resolve_precision
from imbsynth.store.images import ImageForm

RARE = 4  # of the classes, the smallest
BODIES: dict[str, dict[str, Any]] = {
    "copies": {"oversample": "ros"},
    "strong": {"oversample": "none", "loss": "balanced-softmax", "mix": "mixup"},
}

Scores = dict[str, dict[str, Any]]  # of every head, by its name


def trained(config: AosTrainConfig) -> ClassifierTask:
    """A classifier, trained unless its checkpoint is there, with its best epoch's weights kept."""
    if not config.out.exists():
        aos_train.run(replace(config, resume=True))
    run = aos_train.AosTrain(config)
    device = torch.device("cpu")
    precision = resolve_precision(config.precision, device)
    task = run.trainer(run.read(silent), device, precision, silent).task
    task.keeper.kept = weights_now(load_classifier(config.out).model)
    return task


def every_head(task: ClassifierTask) -> dict[str, HeadState]:
    """The head as trained, rescaled, and trained again in each way that there is; by name."""
    return heads_of(task, silent) | heads_with_features(task, list(FEATURE_SAMPLERS), silent)


def scores_of(task: ClassifierTask, test: Validation) -> Scores:
    """What every head reaches on the validation and on the test images."""
    heads = every_head(task)
    found: Scores = {name: {} for name in heads}
    for part, images in {"val": task.val, "test": test}.items():
        task.val = images
        seen = judged_features(task)
        for name, state in heads.items():
            found[name][part] = images.scores(logits_of(task, state, seen))
    return found


def run(args: argparse.Namespace, seed: int) -> Scores:
    """The scores of one seed, from its file if it is there."""
    path: Path = args.out / f"{seed}.json"
    if path.exists():
        loaded: Scores = json.loads(path.read_text())
        return loaded
    args.out.mkdir(parents=True, exist_ok=True)
    copy = args.out / f"{seed}-images"
    if not copy.exists():
        numbers = tuple(map(int, args.counts.split(",")))
        imbalance.run(ImbalanceConfig(src=args.data / "train", dst=copy, counts=numbers, seed=seed))
    config = AosTrainConfig(
        src=copy,
        out=args.out / f"{seed}.safetensors",
        epochs=10,
        images_per_epoch=6400,
        seed=seed,
        device="cpu",
        precision="fp32",
        **BODIES[args.body],
    )
    task = trained(config)
    task.config = replace(config, head_epochs=10)
    test = read_labelled(args.data / "test", ImageForm(), on_event=silent)
    found = scores_of(task, Validation(torch.from_numpy(test.pixels), test.labels))
    path.write_text(json.dumps(found, indent=1) + "\n")
    return found


def table(seeds: list[Scores], counts: NDArray[np.int64]) -> str:
    """Markdown: a row per head and per rule, in percent."""
    rare = np.argsort(counts, kind="stable")[:RARE]
    scores: dict[str, Callable[[dict[str, Any]], float]] = {
        "ACSA": lambda one: float(one["acsa"]),
        f"recall of the {RARE} rarest": lambda one: float(np.take(one["recalls"], rare).mean()),
    }
    rules = {
        f"chosen by {title} on the validation images": [
            max(found, key=lambda name: by(found[name]["val"])) for found in seeds
        ]
        for title, by in {"macro F1": epoch_rank, "mean recall": head_rank}.items()
    }
    rows = {name: [name] * len(seeds) for name in seeds[0]} | rules
    lines = ["| head | " + " | difference | ".join(scores) + " | difference |", "| --- " * 5 + "|"]
    for title, names in rows.items():
        cells = [title]
        for score in scores.values():
            own = 100 * np.array([score(f[n]["test"]) for f, n in zip(seeds, names, strict=True)])
            base = 100 * np.array([score(f[AS_TRAINED]["test"]) for f in seeds])
            cells += [f"{own.mean():.2f}", "" if title == AS_TRAINED else shown(own - base)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(differences: NDArray[np.float64]) -> str:
    """Mean and 95 % interval."""
    mean, n = differences.mean(), len(differences)
    if n < 2:
        return f"{mean:+.2f}"
    half = stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


def main() -> None:
    """Run the seeds, then print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train and test")
    parser.add_argument("--counts", required=True, help="training images by class")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--body", choices=BODIES, default="copies")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    found = [run(args, int(seed)) for seed in args.seeds.split(",")]
    counts = np.array([int(count) for count in args.counts.split(",")])
    text = table(found, counts)
    (args.out / "table.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
