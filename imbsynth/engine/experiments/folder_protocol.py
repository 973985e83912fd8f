"""The protocol that cross-validates every method on one folder."""

from __future__ import annotations

from typing import NamedTuple

from imbsynth.configs import USUAL_SIDE, Budget, ExperimentConfig
from imbsynth.configs.grouping import Grouped
from imbsynth.engine.experiments.protocol_options import Options
from imbsynth.engine.experiments.protocols import DataSet, MethodOptions, Protocol
from imbsynth.engine.grouping import groups_of, suggestion
from imbsynth.engine.previews import size_by_headers
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder
from imbsynth.store.image_files import read_image_file
from imbsynth.store.levels import advice, hint
from imbsynth.store.names import listing

FOLDER, AS_IS = "folder", "as is"  # its one data set and its one imbalance
PLAIN, AUGMENTED = "plain", " + affine"
OVERSAMPLED = {PLAIN: "none", "ROS": "ros", "SMOTE": "smote", "AOS": "aos"}
LEAST_SEEN = 20_000  # images times epochs that an autoencoder sees, however small the folder
FEWEST = 3  # images per class: to train on, to choose the epoch, and to test on
FEW = 10  # images per class; with fewer, the verdict on the class says little


class Effort(NamedTuple):
    """What a budget means."""

    folds: int
    epochs: int
    most_images: int  # per epoch
    ae_epochs: int


EFFORTS: dict[Budget, Effort] = {
    "small": Effort(3, 10, 5_000, 30),
    "medium": Effort(5, 20, 20_000, 100),
    "large": Effort(5, 50, 50_000, 200),
}


def protocol_for(folder: ImageFolder, config: ExperimentConfig) -> Protocol:
    """Five methods, each without and with augmentation, all with the same training budget.

    Raises UserError if there are too few images to cross-validate, or their sizes are mixed.
    """
    effort, counts = EFFORTS[config.budget], folder.counts
    size = config.image_size
    if size is None:  # for the generated images too, which stand beside originals
        _, size = size_by_headers(folder, USUAL_SIDE, skip_unreadable=False)
    balanced = len(counts) * max(counts.values())
    train: Options = {
        "epochs": effort.epochs,
        "images_per_epoch": max(500, min(balanced, effort.most_images)),
        "image_size": size,
        "fit": config.fit,
    }
    ae_epochs = max(effort.ae_epochs, LEAST_SEEN // sum(counts.values()))
    ae: Options = {"epochs": ae_epochs, "image_size": size, "fit": config.fit}
    methods = {}
    for suffix, augment in (("", "none"), (AUGMENTED, "affine")):
        for name, oversample in OVERSAMPLED.items():
            options = {**train, "augment": augment, "oversample": oversample}
            methods[name + suffix] = MethodOptions(options)
        options = {**train, "augment": augment, "oversample": "none"}
        methods["DeepSMOTE" + suffix] = MethodOptions(options, ae=ae, generate={})
    folds = _folds(folder, effort.folds, config)
    return Protocol(
        about=f"Which method helps on {folder.root.absolute().name}? Budget: {config.budget}.",
        data={FOLDER: DataSet(".", None)},
        imbalances={AS_IS: {}},
        methods=methods,
        seeds=list(range(folds)),
        tests={"test": {}},
        folds=folds,
    )


def _folds(folder: ImageFolder, wanted: int, grouping: Grouped) -> int:
    """The number of folds: `wanted`, or how many images or groups the rarest class has."""
    found, what = _apart(folder, wanted, grouping)
    rarest = min(found, key=found.__getitem__)
    if len(found) < 2 or found[rarest] < FEWEST:
        few = f"class {listing([rarest])}: {what}: {found[rarest]}"
        raise UserError(
            f"{folder.root}: {few if len(found) > 1 else 'one class'}",
            advice(
                folder,
                f"cross-validation needs two classes, and three {what} of each: to train on, to "
                "choose the epoch, and to test on",
            ),
        )
    return min(wanted, found[rarest])


def _apart(folder: ImageFolder, enough: int, grouping: Grouped) -> tuple[dict[str, int], str]:
    """How many things of each class may be in different parts, and what they are."""
    groups = groups_of(grouping, folder.root, folder.paths())
    if groups is None:
        return {name: _different(folder, name, enough) for name in folder.files}, "different images"
    group_of = dict(zip(folder.paths(), groups, strict=True))
    found = {name: len({group_of[path] for path in own}) for name, own in folder.files.items()}
    return found, "groups"


def _different(folder: ImageFolder, name: str, enough: int) -> int:
    """How many images of a class differ; reading stops when there are `enough`."""
    seen: set[str] = set()
    for path in folder.files[name]:
        digest, picture, _ = read_image_file(folder.root / path)
        seen.add(digest if picture is None else picture.digest)
        if len(seen) == enough:
            break
    return len(seen)


def warnings_for(folder: ImageFolder, grouping: Grouped) -> list[str]:
    """What a reader of the verdict should know."""
    runs = "" if grouping.grouped else suggestion(folder.files)
    warnings = [text for text in (hint(folder), runs) if text]
    few = [f"{name} ({n})" for name, n in folder.counts.items() if n < FEW]
    if few:
        named = listing(few)
        warnings.append(
            f"fewer than {FEW} images in class {named}: one more found changes its recall"
        )
    return warnings
