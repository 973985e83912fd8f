"""Every command that reads a folder, over every bad input: it works, or says what to do.

No traceback, no hang, no silent skip, no wrong picture, and nothing left behind.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imbsynth.store.folders import scan
from imbsynth.store.images import ImageForm, read_images
from imbsynth.store.names import printable
from tests.conftest import contents
from tests.rights import permissions_hold
from tests.torture.bench import (
    COPIERS,
    FULL,
    READERS,
    Outcome,
    Told,
    command,
    everything_below,
    invoke,
)
from tests.torture.corpus import (
    NAMES,
    Content,
    Layout,
    encoded,
    layouts,
    plain_folder,
    readable,
    unreadable,
)

READABLE, UNREADABLE, LAYOUTS = readable(), unreadable(), layouts()
Checkpoints = dict[str, Path]
DEALT = random.Random(0)
# Of the cases, how many a command gets in `make test`: those that decode in the same way get few.
SHARES = {"inspect": 1.0, "generate": 0.3, "imbalance": 0.1, "split": 0.1}


def pairs(cases: list[str]) -> list[tuple[str, str]]:
    """Cases with commands: all of them, or in `make test` a seeded part."""
    return [
        (case, name)
        for case in cases
        for name in READERS
        if FULL or DEALT.random() < SHARES.get(name, 0.05)
    ]


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """A folder to put something odd into."""
    return plain_folder(tmp_path / "src")


@pytest.fixture(autouse=True)
def count(told: Told) -> None:
    """Every test of the corpus gives one command one bad input."""
    told(1, "bad inputs of the corpus, each to a command")


def tried(name: str, src: Path, tmp_path: Path, checkpoints: Checkpoints) -> Outcome:
    """Run a command; the input stays as it is, and a refusal leaves nothing behind."""
    out = tmp_path / "out"
    out.mkdir()
    before = everything_below(src)
    outcome = invoke(*command(name, src, out, checkpoints))
    assert everything_below(src) == before
    left = sorted(os.listdir(out))
    assert not [entry for entry in left if entry.startswith(".")]
    if outcome.code == 2:
        assert left == []
    return outcome


@pytest.mark.parametrize(("case", "name"), pairs(list(READABLE)))
def test_what_can_be_read_is_taken(
    src: Path, tmp_path: Path, checkpoints: Checkpoints, case: str, name: str
) -> None:
    content = READABLE[case]
    (src / f"odd/x.{content.suffix}").write_bytes(content.data)
    outcome = tried(name, src, tmp_path, checkpoints)
    assert outcome.code == 0, outcome.err
    if name == "inspect":
        assert json.loads(outcome.out)["unreadable"] == []


def assert_shows(found: np.ndarray, content: Content) -> None:
    """The pixels are those of the content, as gray or as colour of equal parts."""
    wanted = content.pixels
    assert wanted is not None
    if found.ndim > wanted.ndim:
        wanted = np.repeat(wanted[..., None], 3, 2)
    if found.ndim < wanted.ndim:
        found = np.repeat(found[..., None], 3, 2)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= content.tolerance


@pytest.mark.parametrize("case", READABLE)
def test_its_pixels_are_the_known_ones_when_read_and_when_written(
    src: Path, tmp_path: Path, case: str
) -> None:
    content = READABLE[case]
    for path in (src / "odd").iterdir():
        path.unlink()
    (src / f"odd/x.{content.suffix}").write_bytes(content.data)
    images = read_images(src / "odd", [f"x.{content.suffix}"], ImageForm(size=(8, 8)))
    assert_shows(np.squeeze(images.pixels[0].transpose(1, 2, 0)), content)
    size = ["--image-size", 8, "--method", "ros", "--to", 8]
    assert invoke("generate", src, tmp_path / "out", *size).code == 0
    with Image.open(tmp_path / "out/odd/synthetic-000001.png") as copy:
        assert_shows(np.asarray(copy), content)


@pytest.mark.parametrize(("case", "name"), pairs(list(UNREADABLE)))
def test_what_cannot_be_read_is_named(
    src: Path, tmp_path: Path, checkpoints: Checkpoints, case: str, name: str
) -> None:
    content = UNREADABLE[case]
    path = f"odd/x.{content.suffix}"
    (src / path).write_bytes(content.data)
    outcome = tried(name, src, tmp_path, checkpoints)
    if name == "inspect":
        found = json.loads(outcome.out)
        assert found["unreadable"] == [path]
        assert found["reasons"][path]
    elif name in COPIERS:
        assert outcome.code == 0
        copied = [d for p, d in contents(tmp_path / "out").items() if p.endswith(path)]
        assert copied in ([content.data], [])  # bytes unchanged, where it was drawn
    else:
        assert outcome.code == 2
        assert path in outcome.err
        assert "--skip-unreadable" in outcome.err
    assert not Path("/tmp/owned").exists()


def test_what_cannot_be_read_can_be_left_out_and_is_recorded(
    src: Path, tmp_path: Path, checkpoints: Checkpoints
) -> None:
    for number, content in enumerate(UNREADABLE.values()):
        (src / f"odd/x{number}.{content.suffix}").write_bytes(content.data)
    skipped = sorted(path.name for path in (src / "odd").glob("x*"))
    for name in ("train-ae", "generate", "generate --ae", "aos-train", "evaluate"):
        out = tmp_path / name
        out.mkdir()
        arguments = command(name, src, out, checkpoints)
        outcome = invoke(*arguments, "--skip-unreadable")
        assert outcome.code == 0, outcome.err
        assert f"left out {len(skipped)} unreadable" in outcome.err
    record = json.loads((tmp_path / "generate/made/run.json").read_text())
    assert sorted(path.removeprefix("odd/") for path in record["skipped"]) == skipped


@pytest.mark.parametrize(("case", "name"), pairs(list(LAYOUTS)))
def test_things_that_are_no_images_are_ignored_or_named(
    src: Path, tmp_path: Path, checkpoints: Checkpoints, case: str, name: str
) -> None:
    layout = LAYOUTS[case]
    layout.make(src)
    outcome = tried(name, src, tmp_path, checkpoints)
    if case == "class of one":
        assert outcome.code == (2 if name in ("split", "aos-train") else 0)
    else:
        assert outcome.code == expected_code(layout, name), outcome.err
    if outcome.code == 2:
        assert layout.named in outcome.err
    elif layout.inspected:
        assert json.loads(outcome.out)["unreadable"] == [layout.named]
    elif layout.left_out:
        assert f"{layout.named} (no real images)" in outcome.err


def expected_code(layout: Layout, name: str) -> int:
    """0 where the layout is taken, ignored or listed, 2 where it is refused."""
    lenient = {"inspect": layout.inspected, "fid": layout.left_out}
    return 2 if layout.named and not lenient.get(name) else 0


@pytest.mark.parametrize("name", READERS)
def test_files_of_any_name_are_taken(
    src: Path, tmp_path: Path, checkpoints: Checkpoints, name: str
) -> None:
    for number, text in enumerate(NAMES):
        (src / f"odd/{text}.png").write_bytes(png(number))
        (src / "plain" / text).mkdir()
        (src / f"plain/{text}/{text}.PnG").write_bytes(png(100 + number))
    outcome = tried(name, src, tmp_path, checkpoints)
    assert outcome.code == 0, outcome.err
    assert scan(src).counts == {"odd": 6 + len(NAMES), "plain": 6 + len(NAMES)}


def png(seed: int) -> bytes:
    """A small image, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    return encoded(Image.fromarray(noise), "PNG")


@pytest.mark.parametrize("name", [name for name in READERS if name != "evaluate"])
def test_classes_of_any_name_are_taken(tmp_path: Path, checkpoints: Checkpoints, name: str) -> None:
    src = tmp_path / "src"
    for number, text in enumerate(NAMES):
        (src / text).mkdir(parents=True)
        for i in range(3):
            (src / text / f"{i}.png").write_bytes(png(10 * number + i))
    outcome = tried(name, src, tmp_path, checkpoints)
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize("text", NAMES)
def test_an_unreadable_file_of_any_name_is_named_on_one_line(
    src: Path, tmp_path: Path, checkpoints: Checkpoints, text: str
) -> None:
    (src / f"odd/{text}.png").write_bytes(b"no image")
    outcome = tried("generate", src, tmp_path, checkpoints)
    assert outcome.code == 2
    assert f"odd/{printable(text)}.png" in outcome.err
    assert [line for line in outcome.err.splitlines() if "odd/" in line] == [
        line for line in outcome.err.splitlines() if line.startswith("error: ")
    ]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("closed", ["odd/0.png", "odd"])
def test_what_may_not_be_read_is_named(
    tmp_path: Path, checkpoints: Checkpoints, name: str, closed: str
) -> None:
    src, work = plain_folder(tmp_path / "src"), tmp_path / "work"
    work.mkdir()
    (src / closed).chmod(0)
    with permissions_hold():
        outcome = tried(name, src, work, checkpoints)
    (src / closed).chmod(0o755)
    if name == "inspect" and closed == "odd/0.png":
        assert json.loads(outcome.out)["unreadable"] == [closed]
    elif name == "imbalance" and closed == "odd/0.png" and outcome.code == 0:
        pytest.fail("it was copied")
    else:
        assert outcome.code == 2
        assert closed in outcome.err
        assert "Permission denied" in outcome.err
