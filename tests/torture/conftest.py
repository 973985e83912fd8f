"""Checkpoints that the bench reads, made once, and the counts that it ends with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imbsynth.configs import AosTrainConfig, EvaluateConfig, TrainAeConfig
from imbsynth.engine import aos_train, evaluate, train_ae
from tests.conftest import draw_image
from tests.torture.bench import Told


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An autoencoder and a classifier of 8x8 colour images, odd and plain ones; its scores."""
    folder = tmp_path_factory.mktemp("checkpoints")
    src = folder / "src"
    for label, name in enumerate(("odd", "plain")):
        (src / name).mkdir(parents=True)
        for i in range(6):
            draw_image(5000 + 100 * label + i, 8, 8, "RGB").save(src / name / f"{i}.png")
    found = {"ae": folder / "ae.safetensors", "clf": folder / "clf.safetensors"}
    found["scores"] = folder / "scores"
    train_ae.run(TrainAeConfig(src=src, out=found["ae"], epochs=1, latent_dim=4, device="cpu"))
    aos_train.run(AosTrainConfig(src=src, out=found["clf"], epochs=1, device="cpu"))
    scored = EvaluateConfig(checkpoint=found["clf"], src=src, allow_overlap=True, device="cpu")
    evaluate.run(replace(scored, out=found["scores"]))
    return found


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """Counts what a test has tried, for the end of the run."""
    return lambda count, what: record_property("tried", (count, what))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for each kind of thing that was tried, and how many of them."""
    tried: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, (count, what) in report.user_properties:
            tried[what] += count if name == "tried" else 0
    for what, count in sorted(tried.items()):
        terminalreporter.write_line(f"survived {count:,} {what}")
