"""Single evaluations of the same test images, as `compare` has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imbsynth.cli.compare_summary import run
from imbsynth.configs import CompareConfig, ReportConfig
from imbsynth.engine import report
from imbsynth.engine.compare import Report
from tests.engine.comparison.files import (
    CLEAR,
    change,
    lines_of,
    write_evaluation,
    write_predictions,
    write_results,
    write_tested_on,
)


def write(folder: Path, right: int, *, of: int = 40) -> None:
    """An evaluation on two classes, with so many images of each right."""
    write_evaluation(folder, right / of, {"a": 10, "b": 20})
    write_predictions(folder, [right, right], of=of)


def compared(src: Path, **options: object) -> Report:
    return run(CompareConfig(src=src, **options))  # type: ignore[arg-type]


def test_the_best_classifier_and_its_leads_are_the_ones_of_report(tmp_path: Path) -> None:
    for name, right in (("plain", 20), ("good", 38), ("also", 38)):
        write(tmp_path / "src" / name, right)
    found = compared(tmp_path / "src", out=tmp_path / "tables").image_by_image
    assert (found["metric"], found["left_out"]) == ("acsa", [])
    (group,) = found["groups"]
    assert (group["best"], group["images"]) == ("also", 80)
    assert group["classifiers"] == ["also", "good", "plain"]
    leads = [(lead["first"], lead["second"], lead["clear"]) for lead in group["leads"]]
    assert leads == [("also", "good", False), ("also", "plain", True)]
    assert group["leads"][1]["difference"] == pytest.approx(0.45)
    assert group["leads"][1]["low"] < 0.45 < group["leads"][1]["high"]

    page = report.run(ReportConfig(src=tmp_path / "src", out=tmp_path / "page.html"))
    assert group["sentence"] == page.best
    text = (tmp_path / "tables/tables.md").read_text()
    assert f"## ACSA, image by image\n\n{group['sentence']}\n" in text
    lines = lines_of(tmp_path / "tables/image_by_image.csv")
    assert [(line["second"], line["clear"]) for line in lines] == [
        ("good", "False"), ("plain", "True"),
    ]  # fmt: skip
    assert float(lines[1]["low"]) == group["leads"][1]["low"]


def test_a_lead_is_clear_if_it_is_above_the_rope(tmp_path: Path) -> None:
    for name, right in (("plain", 20), ("good", 38)):
        write(tmp_path / name, right)
    for rope, clear in ((0.3, True), (0.4, False)):
        (group,) = compared(tmp_path, rope=rope).image_by_image["groups"]
        assert group["leads"][0]["clear"] is clear


def test_what_cannot_be_compared_is_left_out_and_said(tmp_path: Path) -> None:
    for name in ("one", "two", "missing", "damaged", "seen"):
        write(tmp_path / name, 30)
    write(tmp_path / "other", 30, of=41)
    (tmp_path / "missing/predictions.csv").unlink()
    (tmp_path / "damaged/predictions.csv").write_text("file,true\n")
    change(tmp_path / "seen/metrics.json", lambda found: found.update(overlap={"trained on": 3}))
    found = compared(tmp_path).image_by_image
    assert [group["classifiers"] for group in found["groups"]] == [["one", "two"]]
    assert found["left_out"] == [
        "damaged, missing: no predictions.csv that can be read",
        "seen: scores that are not on new images",
        "other: no other classifier has predictions of the same test images",
    ]


def test_of_different_test_images_nothing_is_compared(tmp_path: Path) -> None:
    """Known by their names, or by the record of the evaluation where the names are the same."""
    alone = ["one, two: no other classifier has predictions of the same test images"]
    for name, of in (("one", 40), ("two", 41)):
        write(tmp_path / name, 30, of=of)
    assert compared(tmp_path).image_by_image == {"metric": "acsa", "groups": [], "left_out": alone}
    shutil.rmtree(tmp_path / "two")
    write(tmp_path / "two", 30)
    assert len(compared(tmp_path).image_by_image["groups"]) == 1
    for name, digest in (("one", "0" * 64), ("two", "1" * 64)):
        write_tested_on(tmp_path / name, "test", digest)
    assert compared(tmp_path).image_by_image == {"metric": "acsa", "groups": [], "left_out": alone}


def test_an_unknown_test_set_joins_no_two_that_differ(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / name, 30)
    for name, digest in (("b", "0" * 64), ("c", "1" * 64)):
        write_tested_on(tmp_path / name, "test", digest)
    (group,) = compared(tmp_path).image_by_image["groups"]
    assert group["classifiers"] == ["a", "b"]


def test_there_is_nothing_to_compare_with_one_evaluation_or_none(tmp_path: Path) -> None:
    src, nothing = tmp_path / "src", {"metric": "acsa", "groups": [], "left_out": []}
    write_results(src / "grid", CLEAR)
    assert compared(src).image_by_image == nothing
    write(src / "one", 30)
    assert compared(src, out=tmp_path / "tables").image_by_image == nothing
    assert "image by image" not in (tmp_path / "tables/tables.md").read_text()
    assert not (tmp_path / "tables/image_by_image.csv").exists()
    write(src / "two", 30)
    assert len(compared(src).image_by_image["groups"]) == 1


def test_predictions_without_a_row_are_none(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, 30)
    (tmp_path / "one/predictions.csv").write_text("file,true,predicted\n")
    assert compared(tmp_path).image_by_image["groups"] == []
