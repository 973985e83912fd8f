from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from experiments.blur_probe import (
    fit_and_test,
    halves,
    read,
    synthetic_of,
)

PER_CLASS = 40


def made_folder(root: Path, *, blurred: bool) -> Path:
    """Two classes of noise, and as many synthetic images: copies, sharp or blurred."""
    rng = np.random.default_rng(0)
    lines = []
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for i in range(PER_CLASS):
            real, synthetic = f"{name}/{i}.png", f"{name}/synthetic-{i}.png"
            image = Image.fromarray(rng.integers(0, 255, (12, 12), np.uint8))
            image.save(root / real)
            copy = image.filter(ImageFilter.BoxBlur(1)) if blurred else image
            copy.save(root / synthetic)
            parents = [real, f"{name}/{(i + 2) % PER_CLASS}.png"]
            made = {"class": name, "method": "smote", "parents": parents}
            lines.append({"file": synthetic, **made})
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


@pytest.mark.parametrize(("blurred", "low", "high"), [(True, 0.99, 1.0), (False, 0.3, 0.7)])
def test_the_probe_finds_blur_and_nothing_else(
    tmp_path: Path, blurred: bool, low: float, high: float
) -> None:
    folder = made_folder(tmp_path / "made", blurred=blurred)
    images = read(folder, None)
    report = fit_and_test(images, *halves(images, folder, 1000, 0), None)
    assert low <= report["probe"] <= high
    assert low <= report["laplacian"] <= high
    assert report["per_class"].keys() == {"a", "b"}


def test_the_halves_share_no_real_image(tmp_path: Path) -> None:
    folder = made_folder(tmp_path / "made", blurred=False)
    images = read(folder, None)
    made = synthetic_of(folder)
    seen = []
    for part in halves(images, folder, 1000, 0):
        paths = {images.paths[i] for i in part.images}
        real = paths - made.keys()
        assert {end for path in paths & made.keys() for end in made[path].parents} <= real
        assert part.synthetic.tolist() == [images.paths[i] in made for i in part.images]
        weights = part.weights()
        assert weights[part.synthetic].sum() == pytest.approx(weights[~part.synthetic].sum())
        seen.append(real)
    assert not seen[0] & seen[1]
