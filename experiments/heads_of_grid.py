"""Every head that `aos-train --head-epochs` knows, on the classifiers of a grid that was run.

    python -m experiments.heads_of_grid experiments/cifar10-lt-short.yaml \
        --data data --results results --out heads

RESULTS is the folder that `imbsynth experiment` wrote, with its checkpoints. Every classifier that
was trained on real images gets each of the heads, which are scored on the test images; a trial that
is in OUT already is not scored again. The table has ACSA, and the paired difference from the head
as trained with its 95 % interval over the test images of one seed.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.heads import RARE, every_head, trained
from imbsynth.core.paired import acsa_difference, compared
from imbsynth.engine.events import silent
from imbsynth.engine.experiments.protocol_files import read_protocol
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.trials import classifier_config
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.reading import read_labelled
from imbsynth.engine.training.head import AS_TRAINED, judged_features, logits_of
from imbsynth.engine.training.validation import Validation
from imbsynth.store.images import ImageForm

Right = dict[str, list[list[int]]]  # by head: for each class, 1 for each test image that is right


def answers(workspace: Workspace, trial: Trial) -> Right:
    """Which test images each head classifies correctly."""
    parts = workspace.shared(trial) / "parts"
    out = workspace.classifier(trial)
    config = classifier_config(workspace, trial, parts / "train", parts / "test", out)
    task = trained(config)
    task.config = replace(config, head_epochs=10)
    heads = every_head(task)
    folder = workspace.root / str(workspace.protocol.data[trial.data].test)
    test = read_labelled(folder, ImageForm(), on_event=silent)
    task.val = Validation(torch.from_numpy(test.pixels), test.labels)
    seen = judged_features(task)
    right = {
        name: logits_of(task, head, seen).argmax(1) == test.labels for name, head in heads.items()
    }
    return {
        name: [own[test.labels == label].astype(int).tolist() for label in range(len(test.classes))]
        for name, own in right.items()
    }


def table(found: dict[str, Right]) -> str:
    """Markdown: a row per classifier and head, in percent."""
    lines = ["| classifier | head | ACSA | from as trained | the 4 rarest classes |"]
    lines.append("| --- | --- | ---: | ---: | ---: |")
    for name, right in found.items():
        base = by_class(right[AS_TRAINED])
        for head, answered in right.items():
            own = by_class(answered)
            gain = "" if head == AS_TRAINED else difference(own, base)
            rare = acsa_difference(own[-RARE:])  # of a profile in class order
            cells = [name, head, f"{100 * acsa_difference(own):.2f}", gain, f"{100 * rare:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_class(right: list[list[int]]) -> list[NDArray[np.float64]]:
    return [np.array(own, np.float64) for own in right]


def difference(own: list[NDArray[np.float64]], base: list[NDArray[np.float64]]) -> str:
    """Of ACSA, with its interval over images."""
    gains = [one - other for one, other in zip(own, base, strict=True)]
    found = compared([gains], 0.0, 1, 0.0)
    return f"{100 * found.value:+.2f} ({100 * found.low:+.2f} to {100 * found.high:+.2f})"


def main() -> None:
    """Score what is not scored yet, then print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("protocol", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    workspace = Workspace(read_protocol(args.protocol), args.data, args.results, "cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Right] = {}
    for trial in workspace.protocol.trials():
        method = workspace.protocol.methods[trial.method]
        if method.generate is not None or not workspace.is_done(trial):
            continue
        path = args.out / f"{trial.method}-{trial.seed}.json"
        if not path.exists():
            path.write_text(json.dumps(answers(workspace, trial)) + "\n")
        found[f"{trial.method}, seed {trial.seed}"] = json.loads(path.read_text())
        text = table(found)
        (args.out / "table.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
