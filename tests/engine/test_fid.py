from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from imbsynth.configs import AosTrainConfig, FidConfig, GenerateConfig
from imbsynth.core.frechet import StoredFeatures, frechet_distance
from imbsynth.core.pixels import stacked
from imbsynth.engine import aos_train, generate
from imbsynth.engine.distances import measuring
from imbsynth.engine.distances.features import LatentFeatures
from imbsynth.engine.distances.inception import InceptionFeatures
from imbsynth.engine.events import Note
from imbsynth.engine.fid import Report, run
from imbsynth.engine.inference.autoencoder import load_autoencoder
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.errors import UserError
from imbsynth.models.inception import Inception, _Reference
from imbsynth.runtime import initialised
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from imbsynth.store.images import read_images
from tests.conftest import MakeFolder, contents


def pixels_of(root: Path, pattern: str = "*/*.png") -> torch.Tensor:
    """(n, d) float64 pixels in [0, 1], read apart from what is tested."""
    paths = sorted(root.glob(pattern))
    return torch.stack([torch.tensor(np.asarray(Image.open(p))).flatten() for p in paths]) / 255


def distance(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Through the core, which has tests of its own, from whole arrays."""
    sides = []
    for features in (real, fake):
        sides.append(StoredFeatures(features.shape[1]))
        sides[-1].add(features)
    return frechet_distance(*sides)


def compare(real: Path, fake: Path | None = None, **options: Any) -> Report:
    return run(FidConfig(real=real, fake=fake, **{"features": "pixels", **options}))


@pytest.fixture
def pair(make_folder: MakeFolder) -> tuple[Path, Path]:
    """Two folders with the same two classes."""
    real = make_folder({"a": 9, "b": 7}, name="real")
    fake = make_folder({"b": 6, "a": 8}, name="fake")
    return real, fake


def test_pooled_and_per_class_are_the_distances_of_whole_arrays(pair: tuple[Path, Path]) -> None:
    real, fake = pair
    report = compare(real, fake)
    assert report.fid == pytest.approx(distance(pixels_of(real), pixels_of(fake)), rel=1e-9)
    for name in ("a", "b"):
        expected = distance(pixels_of(real, f"{name}/*"), pixels_of(fake, f"{name}/*"))
        assert report.per_class[name]["fid"] == pytest.approx(expected, rel=1e-9)
    assert (report.n_real, report.n_fake) == (16, 14)
    assert report.per_class["a"] | {"fid": 0} == {"fid": 0, "n_real": 9, "n_fake": 8}
    means = [numbers["fid"] for numbers in report.per_class.values()]
    assert report.class_mean == pytest.approx(sum(means) / 2)


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_batches_and_forms_change_nothing(make_folder: MakeFolder, batch_size: int) -> None:
    """80 images of 64 pixels take moments, 12 keep their features; both in one comparison."""
    real = make_folder({"many": 80, "few": 12}, name="real")
    fake = make_folder({"few": 80, "many": 12}, name="fake")
    report = compare(real, fake, batch_size=batch_size)
    for name in ("many", "few"):
        expected = distance(pixels_of(real, f"{name}/*"), pixels_of(fake, f"{name}/*"))
        assert report.per_class[name]["fid"] == pytest.approx(expected, rel=1e-8)
    expected = distance(pixels_of(real), pixels_of(fake))
    assert report.fid == pytest.approx(expected, rel=1e-8)


def test_a_folder_against_itself_is_at_no_distance(rare: Path) -> None:
    report = compare(rare, rare)
    assert 0 <= report.fid < 1e-9
    assert all(numbers["fid"] < 1e-9 for numbers in report.per_class.values())


def test_classes_without_a_number_are_named_and_not_in_the_mean(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    real = make_folder({"both": 5, "gone": 3, "one": 1, "pair": 2}, name="real")
    fake = make_folder({"both": 5, "new": 4, "one": 3, "pair": 2}, name="fake")
    (fake / "gone").mkdir()  # as `generate --synthetic-only` leaves a class that does not grow
    (real / "empty").mkdir()
    notes: list[str] = []
    config = FidConfig(real=real, fake=fake, features="pixels", cache=tmp_path / "cache")
    report = run(config, on_event=lambda e: notes.append(e.text) if isinstance(e, Note) else None)
    assert run(config) == report  # out of the cache
    assert report.left_out == {
        "empty": "no real images",
        "gone": "no synthetic images",
        "new": "no real images",
        "one": "1 real image",
    }
    assert report.per_class.keys() == {"both", "pair"}
    assert np.isfinite(report.class_mean or np.nan)
    assert (report.n_real, report.n_fake) == (11, 14)  # the pool has them all
    assert any("gone (no synthetic images)" in note for note in notes)
    assert any("fewer than 2,048 images" in note for note in notes)


def test_only_with_inception_it_is_called_fid(pair: tuple[Path, Path], encoder: Path) -> None:
    report = compare(*pair)
    assert (report.metric, report.features) == ("Fréchet distance", "pixels")
    report = compare(*pair, features=str(encoder))
    assert (report.metric, report.features) == ("Fréchet distance", "ae.safetensors")


def test_latents_are_the_autoencoders(pair: tuple[Path, Path], encoder: Path) -> None:
    model = load_autoencoder(encoder).eval()
    latents = []
    for root in pair:
        paths = sorted(path.relative_to(root).as_posix() for path in root.glob("*/*"))
        pixels = torch.from_numpy(read_images(root, paths).pixels)
        with torch.inference_mode():
            latents.append(model.encode(pixels / 255))
    expected = distance(*latents)
    assert compare(*pair, features=str(encoder)).fid == pytest.approx(expected, rel=1e-4)


def test_inception_takes_images_of_any_size_in_one_batch() -> None:
    """Random weights: runs of one shape are resized together and keep their order."""

    class Middle(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((1, 2, 3))[:, None]

    network = initialised(lambda: Inception(_Reference().state_dict()), 0)
    network.layers = Middle()  # type: ignore[assignment]
    config = FidConfig(real=Path("x"), device="cpu")
    extractor = InceptionFeatures(network, "digest", config)
    images = [
        np.full(shape, value, np.uint8)
        for shape, value in (((4, 5), 0), ((4, 5), 128), ((9, 9, 3), 255), ((4, 5), 64))
    ]
    found = extractor.features(images).flatten().tolist()
    assert found == pytest.approx([-1, 0, 127 / 128, -0.5])


def test_gray_among_colour_is_repeated() -> None:
    gray, colour = np.full((2, 2), 7, np.uint8), np.zeros((2, 2, 3), np.uint8)
    assert stacked([gray, colour], 3)[0].eq(7).all()
    assert stacked([gray]).shape == (1, 1, 2, 2)


def test_pixels_of_gray_and_colour_folders_compare_in_colour(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 4}, name="real")
    fake = make_folder({"a": 4}, name="fake", mode="RGB")
    assert compare(real, fake).fid > 0


def test_mixed_sizes_need_a_size(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 4}, name="real")
    fake = make_folder({"a": 4}, name="fake", size=(9, 8))
    with pytest.raises(UserError, match="images of 2 sizes") as caught:
        compare(real, fake)
    assert "image_size" in caught.value.fix
    assert compare(real, fake, image_size=(8, 8)).fid > 0


def test_features_of_too_many_dimensions_are_refused(make_folder: MakeFolder) -> None:
    real = make_folder({"a": 2}, size=(65, 64))
    with pytest.raises(UserError, match="4160 dimensions, more than 4096"):
        compare(real, real)


# generate's folders


@pytest.fixture
def balanced(rare: Path, tmp_path: Path) -> Path:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "balanced"))
    return tmp_path / "balanced"


def test_one_folder_of_generate_compares_its_synthetic_images_with_its_real_ones(
    rare: Path, balanced: Path, tmp_path: Path
) -> None:
    report = compare(balanced)
    assert (report.n_real, report.n_fake) == (20, 28)
    for path in balanced.glob("*/synthetic-*"):
        shutil.copytree(path.parent, tmp_path / "fake" / path.parent.name, dirs_exist_ok=True)
    for path in (tmp_path / "fake").glob("*/0*"):
        path.unlink()
    apart = compare(rare, tmp_path / "fake")
    assert apart.fid == report.fid
    assert apart.per_class == report.per_class
    assert report.left_out == {"common": "no synthetic images", "single": "1 real image"}
    assert compare(rare, balanced).fid == report.fid  # its real images are not taken for fakes


def test_a_folder_without_a_manifest_needs_a_second_one(rare: Path) -> None:
    with pytest.raises(UserError, match=r"no manifest\.jsonl"):
        compare(rare)


def test_a_folder_of_synthetic_images_alone_needs_the_real_ones(rare: Path, tmp_path: Path) -> None:
    generate.run(GenerateConfig(src=rare, dst=tmp_path / "only", synthetic_only=True))
    with pytest.raises(UserError, match="0 real images"):
        compare(tmp_path / "only")
    assert compare(rare, tmp_path / "only").n_fake == 28


def test_reconstructions_are_neither_real_nor_synthetic(
    rare: Path, encoder: Path, tmp_path: Path
) -> None:
    config = GenerateConfig(
        src=rare, dst=tmp_path / "all", ae=encoder, decode="plain", reconstruct_originals=True
    )
    generate.run(config)
    assert compare(rare, tmp_path / "all").n_fake == 28
    with pytest.raises(UserError, match="0 real images"):
        compare(tmp_path / "all")


@pytest.mark.parametrize("line", ["no json", "{}", '{"file": "few/x.png", "method": "smote"}'])
def test_a_manifest_that_does_not_fit_is_refused(balanced: Path, line: str) -> None:
    with (balanced / "manifest.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=r"manifest|images that are not there"):
        compare(balanced)


# what is asked for besides


def test_kid_and_manifolds_are_given_where_possible(make_folder: MakeFolder) -> None:
    real = make_folder({"many": 12, "two": 2}, name="real")
    fake = make_folder({"many": 9, "two": 5}, name="fake")
    report = compare(real, fake, kid=True, precision_recall=True)
    assert report.kid is not None
    assert report.kid_std is not None
    assert report.coverage is not None
    assert report.per_class["many"].keys() >= {"kid", "kid_std", "precision", "density"}
    assert report.per_class["two"].keys() == {"fid", "n_real", "n_fake"}
    plain = compare(real, fake)
    assert (plain.kid, plain.precision) == (None, None)
    assert plain.fid == report.fid


def test_large_classes_are_sampled_the_same_for_the_same_seed(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, fake = make_folder({"a": 90}, name="real"), make_folder({"a": 80}, name="fake")
    whole = compare(real, fake, kid=True)
    monkeypatch.setattr(measuring, "SAMPLED", 40)
    options: dict[str, Any] = {"kid": True, "cache": tmp_path / "cache"}
    part = compare(real, fake, **options)
    assert part.per_class["a"]["kid"] != whole.per_class["a"]["kid"]
    assert compare(real, fake, **options) == part
    assert compare(real, fake, kid=True) == part
    assert compare(real, fake, **options, seed=1).kid != part.kid


def test_the_cache_is_read_instead_of_the_images(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    first = compare(*pair, cache=cache)
    written = contents(cache)
    assert len(written) == 4
    assert all(name.endswith(".safetensors") for name in written)
    shutil.copytree(pair[0], tmp_path / "elsewhere")  # by content, not by place

    started: list[int] = []
    config = FidConfig(real=tmp_path / "elsewhere", fake=pair[1], features="pixels", cache=cache)
    again = run(config, on_event=lambda e: started.append(1) if "extract" in str(e) else None)
    assert again == first
    assert not started
    assert contents(cache) == written


def test_a_changed_image_or_option_is_measured_again(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    before = compare(*pair, cache=cache)
    shutil.copy(pair[0] / "a/000.png", pair[0] / "a/001.png")
    changed = compare(*pair, cache=cache)
    assert changed.per_class["a"] != before.per_class["a"]
    assert changed == compare(*pair)
    assert len(contents(cache)) == 5  # one class anew
    assert compare(*pair, cache=cache, image_size=(9, 9)) == compare(*pair, image_size=(9, 9))


def test_a_damaged_cache_entry_is_made_again(pair: tuple[Path, Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = compare(*pair, cache=cache)
    written = contents(cache)
    names = sorted(written)
    (cache / names[0]).write_bytes(written[names[0]][:-5])
    (cache / names[1]).write_bytes(b"")
    notes: list[str] = []
    config = FidConfig(real=pair[0], fake=pair[1], features="pixels", cache=cache)
    again = run(config, on_event=lambda e: notes.append(e.text) if isinstance(e, Note) else None)
    assert again == first
    assert sum("damaged" in note for note in notes) == 2
    assert contents(cache) == written


def test_a_cache_that_cannot_be_made_is_said(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cache"):
        compare(*pair, cache=tmp_path / "file/cache")


def test_the_plot_is_written_whole_and_never_over_another(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    plot = tmp_path / "fid.png"
    report = compare(*pair, plot=plot)
    assert report.plot == plot.as_posix()
    with Image.open(plot) as image:
        assert image.format == "PNG"
        assert min(image.size) > 300
    bytes_before = plot.read_bytes()
    with pytest.raises(UserError, match="exists"):
        compare(*pair, plot=plot)
    compare(*pair, plot=plot, force=True)
    assert plot.read_bytes() == bytes_before
    Image.new("L", (8, 8)).save(plot)
    with pytest.raises(UserError, match=r"fid\.png exists and is no picture of imbsynth"):
        compare(*pair, plot=plot, force=True)
    with pytest.raises(UserError, match=r" lies in | holds "):
        compare(*pair, plot=pair[0] / "fid.png")


# what goes wrong


def test_unreadable_files_stop_the_run_or_are_left_out(pair: tuple[Path, Path]) -> None:
    (pair[0] / "a/003.png").write_bytes(b"no image")
    (pair[1] / "b/002.png").write_bytes(b"")
    with pytest.raises(UserError, match="2 unreadable files"):
        compare(*pair)
    report = compare(*pair, skip_unreadable=True)
    assert (report.n_real, report.n_fake, len(report.skipped)) == (15, 13, 2)
    for path in (pair[0] / "a").iterdir():
        path.write_bytes(b"no image")
    report = compare(*pair, skip_unreadable=True)
    assert report.left_out == {"a": "no real images"}


def test_a_checkpoint_without_features_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, Checkpoint({"a": torch.zeros(1)}, {"kind": "a recipe"}))
    with pytest.raises(UserError, match="a checkpoint of a recipe, which has no features"):
        compare(*pair, features=str(path))
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="not an imbsynth checkpoint"):
        compare(*pair, features=str(path))
    with pytest.raises(UserError, match="no such file"):
        compare(*pair, features="incepton")


def test_a_network_that_gives_nan_is_refused(pair: tuple[Path, Path], encoder: Path) -> None:
    checkpoint = load_checkpoint(encoder, "train-ae")
    broken = {
        name: torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor
        for name, tensor in checkpoint.tensors.items()
    }
    save_checkpoint(encoder, Checkpoint(broken, checkpoint.meta))
    with pytest.raises(UserError, match="out of range"):
        compare(*pair, features=str(encoder))


def test_a_checkpoints_size_is_taken(make_folder: MakeFolder, encoder: Path) -> None:
    real = make_folder({"a": 3}, name="real", size=(8, 8))
    fake = make_folder({"a": 3}, name="fake", size=(16, 12))
    assert compare(real, fake, features=str(encoder)).fid > 0
    extractor = LatentFeatures(encoder, FidConfig(real=real, features=str(encoder)))
    assert json.dumps(extractor.identity)


def test_a_classifiers_last_hidden_layer_is_taken(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 9, "b": 7}, name="train")
    clf = tmp_path / "clf.safetensors"
    aos_train.run(AosTrainConfig(src=src, out=clf, epochs=1, batch_size=8, device="cpu"))
    real, fake = make_folder({"a": 6}, name="x"), make_folder({"a": 5}, name="y", mode="L")
    report = compare(real, fake, features=str(clf))
    assert (report.metric, report.features) == ("Fréchet distance", "clf.safetensors")

    model = load_classifier(clf).model.eval()
    with torch.no_grad():
        sides = [
            model.features(pixels_of(side).float().reshape(-1, 1, 8, 8)) for side in (real, fake)
        ]
    assert report.fid == pytest.approx(distance(*sides), rel=1e-4, abs=1e-9)
