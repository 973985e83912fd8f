"""One cell of a protocol: a chain of the commands' own runs, its result one JSON file.

What cells share (a cut of a data set, its parts, an autoencoder, a generated folder) is made once,
by whichever process comes first; the others wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from imbsynth import __version__
from imbsynth.configs import (
    AosTrainConfig,
    EvaluateConfig,
    GenerateConfig,
    ImbalanceConfig,
    SplitConfig,
    TrainAeConfig,
)
from imbsynth.core import profiles
from imbsynth.engine import aos_train, evaluate, generate, imbalance, split, train_ae
from imbsynth.engine.events import Event, Note, OnEvent
from imbsynth.engine.experiments.protocols import Cell, Options, Protocol
from imbsynth.engine.experiments.recipes import Recipes, difference, short_digest
from imbsynth.engine.reading import scan_regular
from imbsynth.errors import Busy, UserError
from imbsynth.store.outputs import RECORD, claim, new_file
from imbsynth.store.records import CELLS, WORK, read_json, write_json

POLL = 2.0  # seconds between two looks at what another process is making


@dataclass(frozen=True)
class Bench:
    """Where a protocol is carried out."""

    protocol: Protocol
    root: Path  # the data sets' folders are relative to it
    out: Path
    device: str

    @cached_property
    def recipes(self) -> Recipes:
        """What the cells are made of."""
        return Recipes(self.protocol, self.root)

    def result(self, cell: Cell) -> Path:
        """The file that says that a cell is done."""
        return self.out / CELLS / f"{cell.name}.json"

    def check_results(self) -> None:
        """Raise UserError if a cell's file holds a result of other images or options."""
        for cell in self.protocol.cells():
            path = self.result(cell)
            if not path.exists():
                continue
            other = difference(read_json(path).get("recipe", {}), self.recipes.of(cell))
            if other:
                raise UserError(
                    f"{path} was made {other}",
                    "choose another folder with --out, or remove the file to have it made anew",
                )


def run_cell(bench: Bench, cell: Cell, on_event: OnEvent) -> bool:
    """Train and evaluate one cell; False if another process is at it or has done it."""
    result = bench.result(cell)
    if result.exists():
        return False
    try:
        with claim(result):
            if result.exists():
                return False
            scores = _chain(bench, cell, _notes_only(on_event))
            with new_file(result) as part:
                write_json(part, scores)
    except Busy:
        return False
    return True


def _notes_only(on_event: OnEvent) -> OnEvent:
    """Within a cell, notes alone are passed on: the bar counts cells."""

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            on_event(event)

    return listen


def _chain(bench: Bench, cell: Cell, on_event: OnEvent) -> dict[str, Any]:
    """imbalance, split, train-ae, generate, aos-train, evaluate: those that the cell asks for."""
    method = bench.protocol.methods[cell.method]
    place, recipe = _place(bench, cell), bench.recipes.of(cell)
    pool, test = _pool(bench, cell, on_event)
    rare = _cut(pool, place / "rare", bench.protocol.imbalances[cell.imbalance], cell, on_event)
    parts = _parted(bench, cell, rare, place / "parts", on_event)
    source = parts / "train"
    if method.generate is not None:
        source = _generated(bench, cell, source, on_event)

    config = AosTrainConfig(
        src=source,
        out=place / "runs" / f"{cell.method}-{short_digest(recipe)}.safetensors",
        val=parts / "test",
        seed=cell.seed,
        device=bench.device,
        resume=True,
        **method.training(cell.imbalance),
    )
    trained = aos_train.run(config, on_event=on_event)
    scores = {}
    for name, options in bench.protocol.tests.items():
        cut = place / f"test-{short_digest([recipe['test_images'], recipe['tests'][name]])}"
        folder = _cut(test, cut, options, cell, on_event)
        evaluation = EvaluateConfig(checkpoint=config.out, src=folder, device=bench.device)
        scores[name] = asdict(evaluate.run(evaluation, on_event=on_event))
        del scores[name]["out"], scores[name]["checkpoint"]
    training = asdict(trained)
    for name in ("checkpoint", "log", "curves"):
        del training[name]
    return {
        "cell": cell._asdict(),
        "recipe": recipe,
        "imbsynth": __version__,
        "cut": _sizes(rare),
        "tests": scores,
        "training": training,
    }


def _sizes(rare: Path) -> dict[str, Any]:
    """How imbalanced the images are of which the training and the validation part are made."""
    counts = scan_regular(rare).counts
    return {"counts": counts, "rho": profiles.rho(counts), "mu": profiles.mu(counts)}


def _pool(bench: Bench, cell: Cell, on_event: OnEvent) -> tuple[Path, Path]:
    """The folders that the cell may train on and is tested on: those given, or a fold of one."""
    protocol, source = bench.protocol, bench.protocol.sources[cell.data]
    if protocol.folds is None:
        return bench.root / source.train, bench.root / str(source.test)
    config = SplitConfig(
        src=bench.root / source.train,
        dst=bench.out / WORK / cell.data / f"folds-{short_digest(bench.recipes.of_folds(cell))}",
        folds=protocol.folds,
        link="symbolic",
    )
    folds = _once(config.dst, lambda: split.run(config, on_event=on_event))
    fold = folds / f"fold-{cell.seed % protocol.folds + 1}"
    return fold / "train", fold / "test"


def _cut(src: Path, dst: Path, options: Options, cell: Cell, on_event: OnEvent) -> Path:
    """A copy of the folder with classes cut; without options the folder itself."""
    if not options:
        return src
    config = ImbalanceConfig(src=src, dst=dst, link="symbolic", seed=cell.seed, **options)
    return _once(dst, lambda: imbalance.run(config, on_event=on_event))


def _parted(bench: Bench, cell: Cell, src: Path, dst: Path, on_event: OnEvent) -> Path:
    """A training and a validation part, equal for all methods."""
    fraction = bench.protocol.val_fraction
    config = SplitConfig(
        src=src,
        dst=dst,
        fractions=(1 - fraction, fraction),
        link="symbolic",
        seed=cell.seed,
    )
    return _once(dst, lambda: split.run(config, on_event=on_event))


def _place(bench: Bench, cell: Cell) -> Path:
    """The folder for what the cells of a cut share."""
    cut = f"{cell.seed}-{short_digest(bench.recipes.of_cut(cell))}"
    return bench.out / WORK / cell.data / cell.imbalance / cut


def made_for(bench: Bench, cell: Cell) -> tuple[Path | None, Path]:
    """The autoencoder and the folder of `generate`; methods with equal options share them."""
    recipe, place = bench.recipes.of(cell), _place(bench, cell)
    ae = None
    if recipe["train_ae"] is not None:
        ae = place / f"ae-{short_digest(recipe['train_ae'])}.safetensors"
    made = [recipe["train_ae"], recipe["generate"]]
    return ae, place / f"generated-{short_digest(made)}"


def _generated(bench: Bench, cell: Cell, source: Path, on_event: OnEvent) -> Path:
    """The folder that `generate` makes for the method."""
    method = bench.protocol.methods[cell.method]
    common: Options = {"src": source, "seed": cell.seed, "device": bench.device}
    ae, dst = made_for(bench, cell)
    if method.ae is not None and ae is not None and not ae.exists():
        training = TrainAeConfig(out=ae, resume=True, **common, **method.ae)
        patiently(lambda: train_ae.run(training, on_event=on_event))
    config = GenerateConfig(dst=dst, ae=ae, **common, **(method.generate or {}))
    return _once(dst, lambda: generate.run(config, on_event=on_event))


def _once(folder: Path, make: Callable[[], object]) -> Path:
    """The folder, made if it is not there, by this process or by another."""
    try:
        if not (folder / RECORD).exists():
            patiently(make)
    except UserError:
        if not (folder / RECORD).exists():  # else another process was quicker
            raise
    return folder


def patiently(make: Callable[[], object]) -> None:
    """Call `make`, after waiting for whoever is writing the same."""
    while True:
        try:
            make()
        except Busy:
            time.sleep(POLL)
        else:
            return
