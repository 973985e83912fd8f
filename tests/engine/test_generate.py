from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from imbsynth.configs import GenerateConfig, TrainAeConfig
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.plans import combine
from imbsynth.engine import generate, train_ae
from imbsynth.engine.events import Event, Note, Started
from imbsynth.engine.generate import run
from imbsynth.engine.inference.autoencoder import load_autoencoder
from imbsynth.engine.sources.sample_sheet import PER_CLASS
from imbsynth.errors import UserError
from imbsynth.figures.sheets import GAP, LARGEST, SMALLEST
from imbsynth.models.autoencoder import Autoencoder
from imbsynth.store import png_writers
from imbsynth.store.folders import digest_of
from tests.conftest import MakeFolder, contents, draw_image


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def pixels(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(path)))[None, None]


@pytest.fixture
def ae(rare: Path, tmp_path: Path) -> Path:
    out = tmp_path / "ae.safetensors"
    train_ae.run(TrainAeConfig(src=rare, out=out, epochs=4, batch_size=8, latent_dim=6))
    return out


@pytest.fixture(params=["pixel", "latent"])
def space(request: pytest.FixtureRequest, ae: Path) -> dict[str, Any]:
    return {"ae": ae if request.param == "latent" else None}


def test_the_sheet_shows_every_parent_once(rare: Path, tmp_path: Path) -> None:
    widths = {}
    for method in ("augment", "amdo", "smote"):
        run(GenerateConfig(src=rare, dst=tmp_path / method, method=method))
        with Image.open(tmp_path / method / "samples.png") as sheet:
            widths[method] = sheet.width
    assert widths["amdo"] == widths["augment"]
    one_more = (widths["smote"] - widths["augment"]) / PER_CLASS
    assert SMALLEST + GAP <= one_more <= LARGEST + GAP


@pytest.mark.parametrize("method", ["smote", "ros"])
def test_every_class_comes_up_to_the_largest(
    rare: Path, tmp_path: Path, space: dict[str, Any], method: Any
) -> None:
    dst = tmp_path / "dst"
    report = run(GenerateConfig(src=rare, dst=dst, method=method, **space))
    assert report.added == {"common": 0, "few": 7, "pair": 10, "single": 11}
    assert set(report.counts.values()) == {12}
    made = contents(dst)
    assert {path: made[path] for path in contents(rare)} == contents(rare)
    beside = {path for path in made if "/" not in path}
    told = {"autoencoder-images.txt"} if space.get("ae") else set()
    assert beside == {"manifest.jsonl", "run.json", "samples.png"} | told
    assert len(made) == 4 * 12 + len(beside)
    lines = manifest(dst)
    assert len(lines) == 28
    for line in lines:
        assert line["file"] in made
        assert len(line["parents"]) == len(line["weights"]) == len(line["parent_digests"])
        assert sum(line["weights"]) == pytest.approx(1)
        for path, digest in zip(line["parents"], line["parent_digests"], strict=True):
            assert path.startswith(line["class"] + "/")
            assert digest_of((rare / path).read_bytes()) == digest
        assert line["method"] == method
        assert line["space"] == ("latent" if space["ae"] else "pixel")


def decoded(model: Autoencoder, parents: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    return model.decode(combine([model.encode(p) for p in parents], weights))


def changed(model: Autoencoder, parents: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """By residual decoding."""
    new = decoded(model, parents, weights)
    return (parents[0] + new - model.decode(model.encode(parents[0]))).clamp(0, 1)


@pytest.mark.parametrize("making", ["pixels", "plain", "residual"])
def test_every_synthetic_image_can_be_made_again(
    rare: Path, tmp_path: Path, ae: Path, making: str
) -> None:
    dst = tmp_path / "dst"
    space: dict[str, Any] = {} if making == "pixels" else {"ae": ae, "decode": making}
    run(GenerateConfig(src=rare, dst=dst, batch_size=5, **space))
    model = load_autoencoder(ae).eval()
    ways: dict[str, Callable[..., torch.Tensor]] = {
        "pixels": combine,
        "plain": partial(decoded, model),
        "residual": partial(changed, model),
    }
    for line in manifest(dst):
        parents = [to_unit(pixels(dst / path)) for path in line["parents"]]
        with torch.no_grad():
            image = ways[making](parents, torch.tensor([line["weights"]]))
        # Within one gray level: arithmetic in batches may round otherwise.
        difference = to_bytes(image).int() - pixels(dst / line["file"]).int()
        assert difference.abs().max() <= 1


def test_a_repeated_command_gives_the_same_bytes(
    rare: Path, tmp_path: Path, space: dict[str, Any]
) -> None:
    made = []
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        run(GenerateConfig(src=rare, dst=tmp_path / name, seed=seed, **space))
        made.append(contents(tmp_path / name))
    assert made[0] == made[1]
    assert made[0]["manifest.jsonl"] != made[2]["manifest.jsonl"]


def test_processes_write_the_same_folder_as_a_thread(
    rare: Path, tmp_path: Path, space: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(GenerateConfig(src=rare, dst=tmp_path / "thread", **space))
    monkeypatch.setattr(png_writers, "BYTES_PER_PROCESS", 1)
    monkeypatch.setattr(generate, "worker_count", lambda: 2)
    run(GenerateConfig(src=rare, dst=tmp_path / "processes", **space))
    assert contents(tmp_path / "thread") == contents(tmp_path / "processes")


def test_the_batch_size_does_not_change_the_draws(rare: Path, tmp_path: Path) -> None:
    for name, size in (("one", 3), ("two", 500)):
        run(GenerateConfig(src=rare, dst=tmp_path / name, batch_size=size))
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    del one["run.json"], two["run.json"]
    assert one == two


@pytest.mark.parametrize(
    ("method", "decode"),
    [
        ("smote", "plain"),
        ("ros", "plain"),
        ("smote", "residual"),
        ("transfer", "residual"),
        ("amdo", "residual"),
        ("ccr", "plain"),
        ("rbo", "plain"),
    ],
)
def test_a_larger_target_begins_with_the_smaller_ones_images(
    rare: Path, tmp_path: Path, space: dict[str, Any], method: Any, decode: str
) -> None:
    """Byte for byte, whatever the batches: 10, 100 and 1,000 images of a class."""
    if space["ae"] is not None:
        space["decode"] = decode
    made = {}
    for target, batch_size in ((10, 500), (100, 7), (1000, 64), (1000, 500)):
        dst = tmp_path / f"{target}-{batch_size}"
        options: dict[str, Any] = {"method": method, "synthetic_only": True, **space}
        run(GenerateConfig(src=rare, dst=dst, to=target, batch_size=batch_size, **options))
        made[target, batch_size] = {
            path: data for path, data in contents(dst).items() if "/" in path
        }
        lines = [line for line in manifest(dst) if line["class"] == "few"]
        assert [line["row"] for line in lines] == list(range(target - 5))
    largest = made[1000, 500]
    assert made[1000, 64] == largest
    assert len(made[100, 7]) == 4 * 100 - 20
    for smaller in (made[10, 500], made[100, 7]):
        assert smaller == {path: largest[path] for path in smaller}


def test_another_class_does_not_shift_the_draws(rare: Path, tmp_path: Path) -> None:
    run(GenerateConfig(src=rare, dst=tmp_path / "with"))
    for path in (rare / "few").iterdir():
        path.unlink()
    (rare / "few").rmdir()
    run(GenerateConfig(src=rare, dst=tmp_path / "without"))
    with_it, without = contents(tmp_path / "with"), contents(tmp_path / "without")
    pair = [path for path in without if path.startswith("pair/")]
    assert {path: with_it[path] for path in pair} == {path: without[path] for path in pair}


def test_two_equal_classes_do_not_get_equal_images(rare: Path, tmp_path: Path) -> None:
    twins = tmp_path / "twins"
    for name in ("a", "b"):
        (twins / name).mkdir(parents=True)
        for path in (rare / "few").iterdir():
            (twins / name / path.name).write_bytes(path.read_bytes())
    run(GenerateConfig(src=twins, dst=tmp_path / "dst", to=15))
    steps = [
        [line["weights"] for line in manifest(tmp_path / "dst") if line["class"] == c] for c in "ab"
    ]
    assert steps[0] != steps[1]


def test_small_classes_work_and_say_what_was_done(rare: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run(GenerateConfig(src=rare, dst=tmp_path / "dst"), on_event=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes == [
        "a single image has no neighbor and is copied: class single",
        "fewer neighbors than 5 in class few (4), pair (1)",
    ]
    for line in manifest(tmp_path / "dst"):
        if line["class"] == "single":
            assert line["weights"] == [1]
            made = pixels(tmp_path / "dst" / line["file"])
            assert torch.equal(made, pixels(rare / line["parents"][0]))


def test_targets(rare: Path, tmp_path: Path) -> None:
    assert run(GenerateConfig(src=rare, dst=tmp_path / "to", to=4)).added == {
        "common": 0, "few": 0, "pair": 2, "single": 3,
    }  # fmt: skip
    (tmp_path / "sizes.yaml").write_text("pair: 3\n")
    by_file = GenerateConfig(src=rare, dst=tmp_path / "by", per_class=tmp_path / "sizes.yaml")
    assert run(by_file).added == {"common": 0, "few": 0, "pair": 1, "single": 0}
    (tmp_path / "sizes.yaml").write_text("nobody: 3\n")
    with pytest.raises(UserError, match=r"names no class of .*: nobody"):
        run(replace(by_file, dst=tmp_path / "new"))


def test_nothing_to_add_is_said(make_folder: MakeFolder, tmp_path: Path) -> None:
    events: list[Event] = []
    src = make_folder({"a": 3, "b": 3})
    report = run(GenerateConfig(src=src, dst=tmp_path / "dst"), on_event=events.append)
    assert report.added == {"a": 0, "b": 0}
    assert report.samples is None
    assert Note("every class is large enough already: nothing to add") in events
    assert contents(src).keys() <= contents(tmp_path / "dst").keys()


def test_synthetic_images_alone(rare: Path, tmp_path: Path) -> None:
    report = run(GenerateConfig(src=rare, dst=tmp_path / "dst", synthetic_only=True))
    assert report.counts == report.added
    images = list((tmp_path / "dst").glob("*/*.png"))
    assert len(images) == 28
    assert all(path.name.startswith("synthetic-") for path in images)


def test_reconstructed_originals_are_in_the_manifest(rare: Path, ae: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    run(GenerateConfig(src=rare, dst=dst, ae=ae, decode="plain", reconstruct_originals=True))
    lines = manifest(dst)
    reconstructed = [line for line in lines if line["method"] == "reconstruct"]
    assert [line["file"] for line in reconstructed] == sorted(contents(rare))
    assert {line["file"] for line in lines} == {
        path.relative_to(dst).as_posix() for path in dst.glob("*/*.png")
    }
    image = reconstructed[0]["file"]
    model = load_autoencoder(ae).eval()
    with torch.no_grad():
        expected = to_bytes(model(to_unit(pixels(rare / image))))
    assert (expected.int() - pixels(dst / image).int()).abs().max() <= 1


def test_originals_can_be_linked(rare: Path, tmp_path: Path) -> None:
    run(GenerateConfig(src=rare, dst=tmp_path / "dst", link="hard"))
    assert (tmp_path / "dst/few/000.png").samefile(rare / "few/000.png")


def test_a_folder_with_synthetic_images_is_refused(rare: Path, tmp_path: Path) -> None:
    run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    with pytest.raises(UserError, match="holds synthetic images"):
        run(GenerateConfig(src=tmp_path / "dst", dst=tmp_path / "again"))


def test_inputs_inside_the_output_are_not_replaced(rare: Path, ae: Path, tmp_path: Path) -> None:
    run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    inner = ae.rename(tmp_path / "dst/ae.safetensors")
    with pytest.raises(UserError, match=r" lies in | holds "):
        run(GenerateConfig(src=rare, dst=tmp_path / "dst", ae=inner, force=True))
    assert inner.exists()


@pytest.mark.parametrize("name", ["run.json", "samples.png", "manifest.jsonl"])
def test_a_class_with_the_name_of_our_files_is_named(rare: Path, tmp_path: Path, name: str) -> None:
    (rare / "few").rename(rare / name)
    with pytest.raises(UserError, match=f"class {name} has the name of a file"):
        run(GenerateConfig(src=rare, dst=tmp_path / "dst"))


def test_originals_of_another_size_are_warned_of(
    make_folder: MakeFolder, ae: Path, tmp_path: Path
) -> None:
    large = make_folder({"a": 3, "b": 1}, name="large", size=(16, 16))
    events: list[Event] = []
    run(GenerateConfig(src=large, dst=tmp_path / "dst", ae=ae), on_event=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("could tell them apart" in note for note in notes)


def test_a_file_named_like_a_synthetic_one_is_refused(rare: Path, tmp_path: Path) -> None:
    (rare / "few/000.png").rename(rare / "few/synthetic-000001.png")
    with pytest.raises(UserError, match="synthetic-000001"):
        run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    assert not (tmp_path / "dst").exists()


def test_a_gray_autoencoder_puts_no_gray_images_beside_colour_ones(
    ae: Path, make_folder: MakeFolder, tmp_path: Path
) -> None:
    colour = make_folder({"a": 3, "b": 1}, name="colour", mode="RGB")
    with pytest.raises(UserError, match="4 images have colour"):
        run(GenerateConfig(src=colour, dst=tmp_path / "dst", ae=ae))
    config = GenerateConfig(
        src=colour, dst=tmp_path / "dst", ae=ae, decode="plain", reconstruct_originals=True
    )
    assert run(config).added == {"a": 0, "b": 2}


def test_an_unreadable_file_stops_or_is_left_out(rare: Path, tmp_path: Path) -> None:
    (rare / "common/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match=r"common/broken\.png"):
        run(GenerateConfig(src=rare, dst=tmp_path / "dst"))
    run(GenerateConfig(src=rare, dst=tmp_path / "dst", skip_unreadable=True))
    assert not (tmp_path / "dst/common/broken.png").exists()
    record = json.loads((tmp_path / "dst/run.json").read_text())
    assert record["skipped"] == ["common/broken.png"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photographs of several sizes and suffixes."""
    for name, count in (("a", 5), ("b", 2)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(count):
            image = draw_image(i, 30 + i, 40, "RGB")
            image.save(tmp_path / "photos" / name / f"{i}.{'JPG' if i % 2 else 'jpeg'}")
    return tmp_path / "photos"


@pytest.mark.parametrize("link", ["copy", "hard", "symbolic"])
def test_copies_are_the_bytes_of_their_originals(photos: Path, tmp_path: Path, link: Any) -> None:
    dst = tmp_path / "dst"
    report = run(GenerateConfig(src=photos, dst=dst, method="ros", link=link))
    assert report.added == {"a": 0, "b": 3}
    assert report.samples is not None
    for line in manifest(dst):
        (parent,) = line["parents"]
        copy = dst / line["file"]
        assert copy.read_bytes() == (photos / parent).read_bytes()
        assert copy.suffix == Path(parent).suffix
        assert copy.is_symlink() == (link == "symbolic")
        assert copy.samefile(photos / parent) == (link != "copy")
        assert line["method"] == "ros"
        assert line["weights"] == [1.0]
    assert len(contents(dst)) == 7 + 3 + 3


def test_copies_of_another_size_are_made_again(photos: Path, tmp_path: Path) -> None:
    run(GenerateConfig(src=photos, dst=tmp_path / "dst", method="ros", image_size=(8, 8)))
    files = [line["file"] for line in manifest(tmp_path / "dst")]
    assert files == [f"b/synthetic-00000{i}.png" for i in (1, 2, 3)]
    assert all(pixels(tmp_path / "dst" / file).shape == (1, 1, 8, 8, 3) for file in files)


def test_a_damaged_original_is_not_copied(photos: Path, tmp_path: Path) -> None:
    whole = (photos / "b/0.jpeg").read_bytes()
    (photos / "b/0.jpeg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"1 unreadable file: b/0\.jpeg \("):
        run(GenerateConfig(src=photos, dst=tmp_path / "dst", method="ros"))
    config = GenerateConfig(src=photos, dst=tmp_path / "dst", method="ros", skip_unreadable=True)
    assert run(config).added == {"a": 0, "b": 4}
    assert {line["parents"][0] for line in manifest(tmp_path / "dst")} == {"b/1.JPG"}


PEAK = """
import sys
from imbsynth.configs import GenerateConfig
from imbsynth.engine.generate import run
from pathlib import Path
run(GenerateConfig(src=Path(sys.argv[1]), dst=Path(sys.argv[2]), method="ros"))
status = Path("/proc/self/status").read_text().split()
print(status[status.index("VmHWM:") + 1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_memory_for_copies_does_not_grow_with_the_pixels_of_the_folder(tmp_path: Path) -> None:
    """250 photographs of 512x384 are 147 MB of pixels."""
    peaks = []
    for count in (10, 200):
        src = tmp_path / f"{count}"
        for name, own in (("a", count), ("b", count // 4)):
            (src / name).mkdir(parents=True)
            draw_image(0, 384, 512, "RGB").save(src / name / "0.jpg", quality=30)
            for i in range(1, own):
                (src / name / f"{i}.jpg").hardlink_to(src / name / "0.jpg")
        command = [sys.executable, "-c", PEAK, str(src), str(tmp_path / f"dst{count}")]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        peaks.append(int(printed) / 1024)
    assert peaks[1] - peaks[0] < 50  # MiB


def test_lambda_0_decoded_residually_gives_the_bases_bytes(
    rare: Path, ae: Path, tmp_path: Path
) -> None:
    dst = tmp_path / "dst"
    run(GenerateConfig(src=rare, dst=dst, ae=ae, decode="residual", lambda_range=(0, 0)))
    for line in manifest(dst):
        assert torch.equal(pixels(dst / line["file"]), pixels(dst / line["parents"][0]))


@pytest.mark.parametrize("donors", ["random", "nearest"])
def test_transfer_names_its_three_parents(
    rare: Path, tmp_path: Path, space: dict[str, Any], donors: str
) -> None:
    dst = tmp_path / "dst"
    report = run(
        GenerateConfig(src=rare, dst=dst, method="transfer", donors=donors, strength=0.5, **space)
    )
    assert report.added == {"common": 0, "few": 7, "pair": 10, "single": 11}
    rank = {"common": 3, "few": 2, "pair": 1, "single": 0}
    for line in manifest(dst):
        base, *pair = [path.split("/")[0] for path in line["parents"]]
        assert base == line["class"]
        assert len(set(pair)) == 1
        assert rank[pair[0]] > rank[base]
        assert line["weights"] == [1, 0.5, -0.5]


def test_what_ccr_moves_is_recorded_and_stays_as_it_is(
    rare: Path, tmp_path: Path, space: dict[str, Any]
) -> None:
    dst, events = tmp_path / "dst", list[Event]()
    run(GenerateConfig(src=rare, dst=dst, method="ccr", energy=3, **space), on_event=events.append)
    lines = [json.loads(line) for line in (dst / "moved.jsonl").read_text().splitlines()]
    assert all(line["distance"] > 0 for line in lines)
    moved = [line["file"] for line in lines]
    assert moved == sorted(set(moved))
    made, real = contents(dst), contents(rare)
    assert set(moved) <= {path for path in real if not path.startswith("single/")}
    assert {path: made[path] for path in real} == real
    notes = [event.text for event in events if isinstance(event, Note)]
    assert [text for text in notes if "poor reconstructions" not in text] == [
        f"{len(moved)} of 20 images are in spheres of smaller classes: moved.jsonl says how far "
        "they would be pushed; the files stay as they are"
    ]
    left = GenerateConfig(src=rare, dst=tmp_path / "left", method="ccr", clean="ignore", **space)
    run(left)
    assert not (tmp_path / "left/moved.jsonl").exists()


def test_amdo_says_which_classes_are_too_small_for_it(rare: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run(GenerateConfig(src=rare, dst=tmp_path / "dst", method="amdo"), on_event=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert "class pair: too few images (2) to vary about their mean: they are copied" in notes
    assert "class single: too few images (1) to vary about their mean: it is copied" in notes
    for line in manifest(tmp_path / "dst"):
        if line["class"] in ("pair", "single"):
            made = pixels(tmp_path / "dst" / line["file"])
            assert torch.equal(made, pixels(rare / line["parents"][0]))


@pytest.mark.parametrize("method", ["ccr", "rbo"])
def test_the_largest_class_can_grow_too(rare: Path, tmp_path: Path, method: str) -> None:
    """Classes that the papers leave as they are: no class is larger."""
    walks: dict[str, Any] = {"walk_step": 0.01, "walk_stop": 0.0}  # none of no step
    report = run(GenerateConfig(src=rare, dst=tmp_path / "dst", method=method, to=20, **walks))
    assert report.added["common"] == 8
    for line in manifest(tmp_path / "dst")[:8]:
        made = pixels(tmp_path / "dst" / line["file"])
        assert not torch.equal(made, pixels(rare / line["parents"][0]))


@pytest.mark.parametrize("method", ["amdo", "ccr", "rbo"])
def test_a_folder_of_one_class_can_grow(make_folder: MakeFolder, method: str) -> None:
    src, events = make_folder({"only": 4}), list[Event]()
    dst = src.with_name("dst")
    report = run(GenerateConfig(src=src, dst=dst, method=method, to=9), on_event=events.append)
    assert report.counts == {"only": 9}
    copied = "class only: no room around its images, or no other class: they are copied"
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes == ([copied] if method == "ccr" else [])


def test_augmented_copies_are_distinct_and_can_be_made_again(rare: Path, tmp_path: Path) -> None:
    made = {}
    for to, batch_size in ((20, 500), (40, 7)):
        dst = tmp_path / str(to)
        run(GenerateConfig(src=rare, dst=dst, method="augment", to=to, batch_size=batch_size))
        for line in manifest(dst):
            assert line["augment"] == "affine"
            assert line["parents"][0].startswith(line["class"])
        made[to] = {p: data for p, data in contents(dst).items() if "synthetic" in p}
    assert made[20] == {path: made[40][path] for path in made[20]}
    assert len(set(made[40].values())) == len(made[40]) == 140


def test_with_a_share_every_class_is_synthetic_alike(
    rare: Path, tmp_path: Path, space: dict[str, Any]
) -> None:
    """n real images and n s / (1 - s) synthetic ones, rounded: 12, 5, 2 and 1 with s = 0.5."""
    report = run(GenerateConfig(src=rare, dst=tmp_path / "dst", share=0.5, **space))
    assert report.added == {"common": 12, "few": 5, "pair": 2, "single": 1}
    report = run(GenerateConfig(src=rare, dst=tmp_path / "third", share=0.25))
    assert report.added == {"common": 4, "few": 2, "pair": 1, "single": 0}
    assert run(GenerateConfig(src=rare, dst=tmp_path / "none", share=0.0)).added["common"] == 0


def test_an_original_that_changes_between_reading_and_copying_stops_the_command(
    rare: Path, tmp_path: Path
) -> None:
    def change(event: Event) -> None:
        if isinstance(event, Started) and event.task == "copying originals":
            (rare / "few/002.png").write_bytes((rare / "few/001.png").read_bytes())

    with pytest.raises(UserError, match=r"few/002\.png: changed while it was being used"):
        generate.run(GenerateConfig(src=rare, dst=tmp_path / "dst"), on_event=change)
    assert not (tmp_path / "dst").exists()
