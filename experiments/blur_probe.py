"""Does blur give synthetic images away, and does a classifier take it for a sign of a rare class?

    python experiments/blur_probe.py balanced
    python experiments/blur_probe.py balanced --ae ae.safetensors --test mnist/test \
        --classifier clf.safetensors plain.safetensors

A probe learns to tell real from synthetic images of the same classes in a folder of `generate`:
logistic regression on the logarithm of the power spectrum, averaged over rings of equal frequency.
It sees how sharp an image is and nothing of what is on it, so what it finds is blur; a blend of two
images, as SMOTE makes on pixels, has lost power too. Every class is halved by its real images; a
synthetic image goes where both of its ends are, or nowhere. AUROC 0.5: not to be told apart; copies
of `--method ros` must give it. Beside the probe, two numbers that need no training: the variance of
the Laplacian, and what share the outer half of the rings has (AUROC above 0.5: real images have
more of it). With --ae, `decoded_originals` is the same for real images against their own
reconstructions: what decoding alone does, without interpolation.

With --classifier, real test images go through the autoencoder as well. If a classifier takes blur
for a sign of a rare class, images of the classes that were not added to move to those that were:
`flips` is the share of them that were named right and, decoded, are named as a class with synthetic
images. A classifier trained without synthetic images is the control: what it loses is detail.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from imbsynth.core import metrics
from imbsynth.core.probe import equal_weights
from imbsynth.core.sharpness import laplacian_variance, log_spectrum, rings
from imbsynth.engine.events import silent
from imbsynth.engine.inference.autoencoder import TrainedAutoencoder, load_autoencoder
from imbsynth.engine.inference.classifier import TrainedClassifier, load_classifier, logits
from imbsynth.engine.manifest import Made, made_of
from imbsynth.engine.reading import Labelled, read_labelled
from imbsynth.runtime import stream
from imbsynth.store.images import ImageForm

BATCH = 500
STRENGTH = 0.1  # of the probe: scikit-learn's C, the inverse of its regularisation

CPU = torch.device("cpu")

Report = dict[str, Any]
Values = NDArray[np.float64]
Pixels = NDArray[np.uint8]


class Part(NamedTuple):
    """Images of some classes, to fit the probe on or to test it with."""

    images: NDArray[np.int64]  # (n,) indices
    synthetic: NDArray[np.bool_]  # (n,)
    labels: NDArray[np.int64]  # (n,)

    def weights(self) -> Values:
        """(n,), 1 on average: classes count alike, in each the real images as the synthetic."""
        return equal_weights(self.labels, self.synthetic)


def synthetic_of(folder: Path) -> dict[str, Made]:
    """The synthetic images of a folder, and what they were made from."""
    return {path: made for path, made in made_of(folder).items() if made.method != "reconstruct"}


def halves(images: Labelled, folder: Path, most: int, seed: int) -> tuple[Part, Part]:
    """Two parts that share no real image, and no synthetic image made from one of the other."""
    made = synthetic_of(folder)
    groups = []  # a class: its real and its synthetic image indices, for each half
    for name, members in zip(images.classes, images.members(), strict=True):
        shuffled = stream(seed, "blur probe", name).permutation(members).tolist()
        real = [i for i in shuffled if images.paths[i] not in made]
        side_of = {images.paths[i]: turn % 2 for turn, i in enumerate(real)}
        half_of = {
            i: {side_of.get(end) for end in made[images.paths[i]].parents}
            for i in shuffled
            if images.paths[i] in made
        }
        kinds = [
            (real[side::2][:most], [i for i, half in half_of.items() if half == {side}][:most])
            for side in (0, 1)
        ]
        if all(own and theirs for own, theirs in kinds):
            groups.append(kinds)
    if not groups:
        raise SystemExit(f"{folder}: no class with real and synthetic images for both halves")
    first, second = (_joined([kinds[side] for kinds in groups], images) for side in (0, 1))
    return first, second


def _joined(groups: list[tuple[list[int], list[int]]], images: Labelled) -> Part:
    chosen = np.array([i for own, theirs in groups for i in (*own, *theirs)])
    synthetic = [k for own, theirs in groups for k in (*[False] * len(own), *[True] * len(theirs))]
    return Part(chosen, np.array(synthetic), images.labels[chosen])


def scored(model: Pipeline, pixels: Pixels) -> dict[str, Values]:
    """(n,) by the probe and by the two numbers, higher for what looks synthetic."""
    return {
        "probe": model.decision_function(log_spectrum(pixels)),
        "laplacian": -laplacian_variance(pixels),
        "high_frequency": -high_frequency(pixels),
    }


def high_frequency(pixels: Pixels) -> Values:
    """(n, c, h, w) uint8 -> (n,): the outer half's share of the sum over all rings."""
    power = rings(pixels)[:, 1:]
    return power[:, power.shape[1] // 2 :].sum(1) / np.maximum(power.sum(1), 1e-12)


def fit_and_test(
    images: Labelled, fitted: Part, tested: Part, autoencoder: TrainedAutoencoder | None
) -> Report:
    """AUROC of the probe and of the two numbers on the tested part, together and by class."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
    weights = {"logisticregression__sample_weight": fitted.weights()}
    model.fit(log_spectrum(images.pixels[fitted.images]), fitted.synthetic, **weights)
    scores = scored(model, images.pixels[tested.images])
    everything = np.ones(len(tested.labels), bool)
    report: Report = {name: auroc(tested, values, everything) for name, values in scores.items()}
    report["per_class"] = {}
    for label in sorted(set(tested.labels.tolist())):
        mine = tested.labels == label
        report["per_class"][images.classes[label]] = {
            "real": int((mine & ~tested.synthetic).sum()),
            "synthetic": int((mine & tested.synthetic).sum()),
            **{name: auroc(tested, values, mine) for name, values in scores.items()},
        }
    if autoencoder is not None:
        report["decoded_originals"] = decoded_alone(model, images, tested, autoencoder)
    return report


def decoded_alone(
    model: Pipeline, images: Labelled, tested: Part, autoencoder: TrainedAutoencoder
) -> Report:
    """The same for real images against their own reconstructions: blur without interpolation."""
    real, labels = tested.images[~tested.synthetic], tested.labels[~tested.synthetic]
    pixels = images.pixels[real]
    decoded = reconstructed(autoencoder, pixels)
    both = Part(
        np.concatenate([real, real]),
        np.repeat([False, True], len(real)),
        np.concatenate([labels, labels]),
    )
    scores = scored(model, np.concatenate([pixels, decoded]))
    everything = np.ones(len(both.labels), bool)
    return {name: auroc(both, values, everything) for name, values in scores.items()}


def reconstructed(autoencoder: TrainedAutoencoder, pixels: Pixels) -> Pixels:
    """The images as they come back from the autoencoder."""
    return torch.cat(list(autoencoder.reconstruct(torch.from_numpy(pixels)))).numpy()


def auroc(part: Part, scores: Values, chosen: NDArray[np.bool_]) -> float:
    """The chance that a synthetic image scores higher than a real one, classes alike."""
    area = roc_auc_score(
        part.synthetic[chosen], scores[chosen], sample_weight=part.weights()[chosen]
    )
    return round(float(area), 4)


def shortcut(
    trained: TrainedClassifier, test: Labelled, decoded: Pixels, grown: set[str]
) -> Report:
    """What becomes of a classifier's answers when test images are decoded."""
    labels = np.array([trained.classes.index(name) for name in test.classes])[test.labels]
    added = np.array([name in grown for name in trained.classes])
    plain, blurred = (classified(trained, pixels) for pixels in (test.pixels[:], decoded))
    report: Report = {
        f"acsa_{name}": round(float(metrics.acsa(confusion)), 4)
        for name, confusion in (
            ("plain", metrics.confusion_matrix(labels, plain.argmax(1), len(added))),
            ("decoded", metrics.confusion_matrix(labels, blurred.argmax(1), len(added))),
        )
    }
    crossed = added[blurred.argmax(1)] != added[labels]
    for kind, own in (("majority", ~added[labels]), ("minority", added[labels])):
        right = own & (plain.argmax(1) == labels)
        report[kind] = {
            "images": int(own.sum()),
            "named_right": int(right.sum()),
            "flips": round(float(crossed[right].mean()), 4) if right.any() else None,
            "p_added": round(float(plain[own][:, added].sum(1).mean()), 4),
            "p_added_decoded": round(float(blurred[own][:, added].sum(1).mean()), 4),
        }
    return report


def classified(trained: TrainedClassifier, pixels: Pixels) -> NDArray[np.float32]:
    """(n, c) probabilities."""
    found = logits(
        trained.model, torch.from_numpy(pixels), device=CPU, precision="fp32", batch_size=BATCH
    )
    return torch.from_numpy(found).softmax(1).numpy()


def read(
    folder: Path, autoencoder: TrainedAutoencoder | None, only: list[str] | None = None
) -> Labelled:
    """A folder's images, or some of its classes, in the form that the autoencoder takes."""
    shape = None if autoencoder is None else autoencoder.model.shape
    return read_labelled(
        folder,
        ImageForm(shape and (shape.height, shape.width), shape and shape.channels),
        on_event=silent,
        only=only,
    )


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="made by generate, with its originals")
    parser.add_argument("--most", type=int, default=1000, help="images of a kind, class and half")
    parser.add_argument("--classifier", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--ae", type=Path, help="the autoencoder that test images go through")
    parser.add_argument("--test", type=Path, help="real test images")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.classifier and (options.ae is None or options.test is None):
        parser.error("--classifier needs --ae and --test")

    autoencoder = None
    if options.ae is not None:
        autoencoder = TrainedAutoencoder(load_autoencoder(options.ae), CPU, "fp32")
    grown = {path.split("/")[0] for path in synthetic_of(options.folder)}
    images = read(options.folder, autoencoder, only=sorted(grown))
    fitted, tested = halves(images, options.folder, options.most, options.seed)
    result = fit_and_test(images, fitted, tested, autoencoder)
    if options.classifier and autoencoder is not None:
        test = read(options.test, autoencoder)
        decoded = reconstructed(autoencoder, test.pixels[:])
        result["classifiers"] = {
            path.stem: shortcut(load_classifier(path), test, decoded, grown)
            for path in options.classifier
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
