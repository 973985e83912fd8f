"""The commands that a report prints, where files of a folder were left out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from imbsynth.configs import (
    AosTrainConfig,
    EvaluateConfig,
    GenerateConfig,
    ImbalanceConfig,
    ReportConfig,
    SplitConfig,
    TrainAeConfig,
)
from imbsynth.engine import aos_train, evaluate, generate, imbalance, report, split, train_ae
from imbsynth.store.checkpoint_headers import read_header
from tests.conftest import draw_image
from tests.pages.reading import check_page


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of commands that skip unreadable files, which every part of the split has."""
    base = tmp_path_factory.mktemp("skipped")
    for label, name in enumerate(("common", "rare")):
        (base / "photos" / name).mkdir(parents=True)
        for i in range(16 - 8 * label):
            draw_image(100 * label + i, 8, 8, "L").save(base / "photos" / name / f"{i:02}.png")
    for i in range(8):
        (base / "photos/common" / f"broken{i}.png").write_bytes(b"broken %d" % i)
    root = base / "results"
    parts, skip = root / "parts", {"skip_unreadable": True}
    split.run(SplitConfig(src=base / "photos", dst=parts, fractions=(0.5, 0.25, 0.25)))
    for part in ("train", "val", "test"):
        assert list((parts / part / "common").glob("broken*"))
    once = {"epochs": 1, "device": "cpu", **skip}
    train_ae.run(TrainAeConfig(src=parts / "train", out=root / "ae.safetensors", **once))  # type: ignore[arg-type]
    clf = root / "clf.safetensors"
    aos_train.run(AosTrainConfig(src=parts / "train", val=parts / "val", out=clf, **once))  # type: ignore[arg-type]
    evaluate.run(EvaluateConfig(checkpoint=clf, src=parts / "test", out=root / "scores", **skip))  # type: ignore[arg-type]
    generate.run(GenerateConfig(src=parts / "train", dst=root / "balanced", **skip))  # type: ignore[arg-type]
    every = {"common": 24, "rare": 8}
    imbalance.run(ImbalanceConfig(src=base / "photos", dst=root / "deep/copy", counts=every))
    skip["drop_overlap"] = True
    evaluate.run(EvaluateConfig(checkpoint=clf, src=root / "deep/copy", out=root / "rest", **skip))  # type: ignore[arg-type]
    return root


def words_of_commands(root: Path) -> dict[str, list[str]]:
    """The words of each command that a report on a folder prints, by its output."""
    out = root.parent / "page.html"
    report.run(ReportConfig(src=root, out=out, force=True))
    (lines,) = check_page(out.read_text()).words("code")
    commands = [shlex.split(line) for line in lines.splitlines()]
    return {words[words.index("--out") + 1] if "--out" in words else words[3]: words
            for words in commands}  # fmt: skip


def test_folders_of_which_files_were_skipped_are_given_by_their_paths(made: Path) -> None:
    found = words_of_commands(made)
    trained = found["clf.safetensors"]
    assert trained[2] == found["ae.safetensors"][2] == found["balanced"][2] == "parts/train"
    assert trained[trained.index("--val") + 1] == "parts/val"
    assert found["scores"][3] == "parts/test"


def test_so_are_folders_of_which_images_were_dropped(made: Path) -> None:
    assert words_of_commands(made)["rest"][3] == "deep/copy"


def test_the_record_names_what_was_skipped(made: Path) -> None:
    whole = json.loads((made / "parts/run.json").read_text())["inputs"]
    unreadable = {
        part: sorted(f"common/{path.name}" for path in (made / "parts" / part).glob("*/broken*"))
        for part in ("train", "val", "test")
    }
    trained, validated, tested = (
        {"unreadable": unreadable[part], "folder": whole[part]} for part in ("train", "val", "test")
    )
    made_by = read_header(made / "clf.safetensors")["made_by"]
    assert made_by["left_out"] == {"src": trained, "val": validated}
    assert read_header(made / "ae.safetensors")["made_by"]["left_out"] == {"src": trained}
    for name, left_out in (("balanced", trained), ("scores", tested)):
        record = json.loads((made / name / "run.json").read_text())
        assert record["left_out"] == {"src": left_out}
        assert record["inputs"]["src"] != left_out["folder"]


def test_the_page_names_what_was_skipped(made: Path) -> None:
    out = made.parent / "page.html"
    report.run(ReportConfig(src=made, out=out, force=True))
    said = " ".join(check_page(out.read_text()).words("li"))
    broken = sorted(path.name for path in (made / "parts/val").glob("*/broken*"))
    names = ", ".join(f"common/{name}" for name in broken)
    assert f"clf.safetensors: {len(broken)} files of val: {names}" in said


@pytest.mark.parametrize("damaged", [False, True])
def test_a_record_that_does_not_say_it_is_read_too(made: Path, damaged: bool) -> None:
    """Such as those of older versions; with damage, the output is named among the problems."""
    path = made / "scores/run.json"
    kept = path.read_text()
    record = json.loads(kept)
    del record["left_out"]
    if damaged:
        record["left_out"] = {"src": ["common/broken1.png"]}
    path.write_text(json.dumps(record))
    try:
        found = words_of_commands(made)
        assert ("scores" in found) is not damaged
        assert damaged or found["scores"][3] == "test"
    finally:
        path.write_text(kept)
