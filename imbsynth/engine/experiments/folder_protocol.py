"""The protocol that cross-validates methods on one folder."""

from __future__ import annotations

from dataclasses import dataclass

from imbsynth.configs import USUAL_SIDE, ExperimentConfig, Size
from imbsynth.configs.contenders import CONTENDERS
from imbsynth.configs.grouping import Grouped
from imbsynth.engine.experiments.effort import ExperimentPlan
from imbsynth.engine.experiments.protocol_options import Options
from imbsynth.engine.experiments.protocols import DataSet, MethodOptions, Protocol, Trial
from imbsynth.engine.grouping import groups_of, suggestion
from imbsynth.engine.previews import size_by_headers
from imbsynth.errors import UserError
from imbsynth.store.folders import ImageFolder
from imbsynth.store.image_files import read_image_file
from imbsynth.store.levels import advice, hint
from imbsynth.store.names import listing

FOLDER, AS_IS = "folder", "as is"  # its one data set and its one imbalance
LEAST_SEEN = 20_000  # images times epochs that an autoencoder sees, however small the folder
LEAST_PER_EPOCH = 500  # images that a classifier is shown, however small the folder
FEWEST = 3  # images per class: to train on, to choose the epoch, and to test on
MOST_FOLDS = 5
FEW = 10  # images per class; with fewer, the verdict on the class says little


@dataclass(frozen=True)
class Ground:
    """What is known of a folder before a plan for it is made."""

    folder: ImageFolder
    config: ExperimentConfig
    size: Size | None  # of the images; None: the one that all have
    most_folds: int  # that its rarest class allows

    def protocol(self, plan: ExperimentPlan) -> Protocol:
        """The methods of a plan, all with the same training budget."""
        counts, effort = self.folder.counts, plan.effort
        balanced = len(counts) * max(counts.values())
        size: Options = {name: getattr(self.config, name) for name in ("fit", "draft")}
        size["image_size"] = self.size
        train: Options = {
            "epochs": effort.epochs,
            "images_per_epoch": max(LEAST_PER_EPOCH, min(balanced, effort.most_images)),
            **size,
        }
        seen = max(LEAST_SEEN * effort.ae_share, effort.ae_epochs * sum(counts.values()))
        ae: Options = {"epochs": round(seen / sum(counts.values())), **size}
        folds = min(effort.folds, self.most_folds)
        return Protocol(
            about=f"Which method helps on {self.folder.root.absolute().name}?",
            data={FOLDER: DataSet(".", None)},
            imbalances={AS_IS: {}},
            methods={name: _method(name, train, ae) for name in plan.methods},
            seeds=list(range(folds)),
            tests={"test": {}},
            folds=folds,
            stopping=not self.config.all_folds,
        )


def _method(name: str, train: Options, ae: Options) -> MethodOptions:
    contender = CONTENDERS[name]
    options = {**train, **contender.train}
    return (
        MethodOptions(options, ae=ae, generate={}) if contender.encoded else MethodOptions(options)
    )


def ground_of(folder: ImageFolder, config: ExperimentConfig) -> Ground:
    """Look at the folder.

    Raises UserError if there are too few images to cross-validate, or their sizes are mixed.
    """
    size = config.image_size
    if size is None:  # for the generated images too, which stand beside originals
        _, size = size_by_headers(folder, USUAL_SIDE, skip_unreadable=False)
    return Ground(folder, config, size, _most_folds(folder, config))


def trial_on_folder(method: str, fold: int) -> Trial:
    """The trial of a method in a fold."""
    return Trial(FOLDER, AS_IS, method, fold)


def _most_folds(folder: ImageFolder, grouping: Grouped) -> int:
    """MOST_FOLDS, or how many images or groups the rarest class has."""
    found, what = _apart(folder, MOST_FOLDS, grouping)
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
    return min(MOST_FOLDS, found[rarest])


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
