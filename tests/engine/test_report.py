from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from imbsynth.configs import (
    AosTrainConfig,
    CompareConfig,
    EvaluateConfig,
    GenerateConfig,
    ImbalanceConfig,
    ReportConfig,
    SplitConfig,
    TrainGeneratorConfig,
)
from imbsynth.engine import (
    aos_train,
    compare,
    evaluate,
    generate,
    imbalance,
    split,
    train_generator,
)
from imbsynth.engine.report import Report, run
from imbsynth.errors import UserError
from imbsynth.store.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from tests.cli.test_commands import invoke
from tests.conftest import MakeFolder, contents, draw_image
from tests.engine.comparison.files import CLEAR, write_results, write_tested_on
from tests.engine.reporting.outputs import draw, write_run, write_scores
from tests.pages.reading import Page, check_page

NASTY = "<b>\"a\"&'c'"


def report_on(root: Path) -> tuple[Report, Page]:
    out = root.parent / "page.html"
    report = run(ReportConfig(src=root, out=out, force=True))
    return report, check_page(out.read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of real commands, with a class whose name is HTML."""
    base = tmp_path_factory.mktemp("made")
    for label, name in enumerate(("common", NASTY)):
        (base / "photos" / name).mkdir(parents=True)
        for i in range(12 - 4 * label):
            draw_image(100 * label + i, 8, 8, "L").save(base / "photos" / name / f"{i}.png")
    root = base / "results"
    split.run(SplitConfig(src=base / "photos", dst=root / "parts", fractions=(0.5, 0.25, 0.25)))
    generate.run(GenerateConfig(src=root / "parts/train", dst=root / "balanced"))
    for name in ("aos", "ros"):
        clf = root / f"{name}.safetensors"
        options = {"epochs": 1, "images_per_epoch": 8, "oversample": name, "device": "cpu"}
        aos_train.run(
            AosTrainConfig(src=root / "parts/train", val=root / "parts/val", out=clf, **options)  # type: ignore[arg-type]
        )
        where = root / "scores" / name
        evaluate.run(
            EvaluateConfig(checkpoint=clf, src=root / "parts/test", out=where, saliency=True)
        )
    return root


def test_everything_that_the_commands_made_is_on_one_page(made: Path) -> None:
    report, page = report_on(made)
    assert report.sections == [
        "Scores on test images", "Training", "Synthetic images", "Images", "How it was made",
    ]  # fmt: skip
    assert report.problems == []
    assert report.best.startswith("Of 2 classifiers, ")
    assert page.words("p")[0] == report.best
    assert page.words("p").count(report.best) == 1
    (group,) = compare.run(CompareConfig(src=made / "scores")).image_by_image["groups"]
    assert group["sentence"] == report.best
    files = ["confusion", "precision_recall", "reliability", "mistakes", "saliency"]
    own = [made / f"scores/{name}/{file}.png" for name in ("aos", "ros") for file in files]
    pictures = [path for path in own if path.exists()] + [made / "aos.png", made / "ros.png"]
    pictures += [made / "balanced/samples.png"]
    assert len(page.tags("img")) == len(pictures) + 1  # and the first images of the split


def test_generators_are_shown_with_what_their_images_are_like(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src, out = make_folder({"common": 9, "single": 1}), tmp_path / "made/gen.safetensors"
    out.parent.mkdir()
    train_generator.run(
        TrainGeneratorConfig(src=src, out=out, kind="gamo", epochs=1, pretrain_epochs=1)
    )
    report, page = report_on(out.parent)
    assert report.sections == ["Training", "How it was made"]
    assert report.problems == []
    assert "The generator gen.safetensors (gamo), trained up to epoch 1" in page.words("span")
    assert "diversity" in page.words("th")
    assert len(page.tags("img")) == 1

    tensors, meta = load_checkpoint(out, "train-generator")
    save_checkpoint(out, Checkpoint(tensors, {**meta, "diversity": {"common": "much"}}))
    report, _ = report_on(out.parent)
    assert "gen.safetensors: not as imbsynth writes it" in report.problems[0]


def test_names_of_classes_are_shown_not_read_as_html(made: Path) -> None:
    _, page = report_on(made)
    assert not page.tags("b")
    assert page.words("th").count(NASTY) >= 4
    assert any(NASTY in image["alt"] for image in page.tags("img"))


def test_the_commands_make_the_outputs_again(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run as they are printed, in a folder with the images alone."""
    _, page = report_on(made)
    (lines,) = page.words("code")
    commands = [shlex.split(line) for line in lines.splitlines()]
    assert [words[1] for words in commands] == [
        "split", "generate", "aos-train", "aos-train", "evaluate", "evaluate",
    ]  # fmt: skip
    shutil.copytree(made.parent / "photos", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for words in commands:
        code, _, err = invoke(*words[1:])
        assert code == 0, (words, err)
    shutil.rmtree(tmp_path / "photos")
    mine, theirs = contents(tmp_path), contents(made)
    assert mine.keys() == theirs.keys()
    logs = {"aos.jsonl", "ros.jsonl"}  # which have seconds
    assert [name for name in theirs if mine[name] != theirs[name] and name not in logs] == []


def test_the_same_outputs_give_the_same_page_and_stay_as_they_are(made: Path) -> None:
    before = contents(made)
    report_on(made)
    first = (made.parent / "page.html").read_bytes()
    report_on(made)
    assert (made.parent / "page.html").read_bytes() == first
    assert contents(made) == before


def test_a_clear_lead_is_said_in_the_first_sentence(tmp_path: Path) -> None:
    root = tmp_path / "results"
    write_scores(root / "x/plain", 0.5, [40, 0])
    write_scores(root / "x/good", 0.95, [38, 38])
    write_scores(root / "x/also", 0.95, [38, 38])
    report, page = report_on(root)
    assert report.best == (
        "Of 3 classifiers, also did best on 80 test images, and good equally well: also finds "
        "95.0 % of the images of a class, on average over the classes (95 % interval 40.0 to "
        "60.0). It is clearly better than plain. Whether it is better than good (+0.0 points, "
        "interval \N{MINUS SIGN}4.0 to +4.0) is not clear."
    )
    assert [a.get("class") for a in page.tags("tr")].count("marked") == 1


def test_classifiers_on_different_images_are_not_compared(tmp_path: Path) -> None:
    root = tmp_path / "results"
    write_scores(root / "one", 0.5, [40, 0])
    write_scores(root / "two", 0.95, [38, 38], of=41)
    report, page = report_on(root)
    assert "did best" not in report.best
    assert any("tested on different images" in text for text in page.words("p"))


def test_images_of_the_same_names_may_be_others(tmp_path: Path) -> None:
    root = tmp_path / "results"
    for name, right, digest in (("one", 0, "0"), ("two", 38, "1"), ("also two", 37, "1")):
        write_scores(root / name, right / 40, [right, right])
        write_tested_on(root / name, "test", digest * 64)
    report, page = report_on(root)
    assert report.best.startswith("Of 2 classifiers, two did best on 80 test images")
    assert any("tested on different images" in text for text in page.words("p"))


def test_scores_that_are_not_on_new_images_do_not_win(tmp_path: Path) -> None:
    root = tmp_path / "results"
    for name, acsa, right in (("a", 0.5, 20), ("b", 0.6, 24), ("seen", 1.0, 40)):
        write_scores(root / name, acsa, [right, right])
    path = root / "seen/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "overlap": {"trained on": 3}}))
    report, page = report_on(root)
    assert report.best.startswith("Of 2 classifiers, b did best on 80 test images")
    assert "seen [overlap]" in page.words("th")


def test_an_experiment_over_problems_says_which_method_ranks_first(tmp_path: Path) -> None:
    write_results(tmp_path / "results/grid", CLEAR)
    report, page = report_on(tmp_path / "results")
    assert report.best.startswith("AOS ranks first by ACSA over 3 of 3 problems, 2 seeds each")
    assert report.sections == ["Experiment: grid"]
    assert "AOS - plain" in page.words("th") or "plain - AOS" in page.words("th")


def test_an_experiment_on_one_problem_names_its_best_method(tmp_path: Path) -> None:
    acsa = {"plain": [[0.5, 0.6]], "ROS": [[0.699, 0.7]], "AOS": [[0.7, 0.7]]}
    write_results(tmp_path / "results", acsa)
    report, _ = report_on(tmp_path / "results")
    assert report.best == (
        "On set 0, x, AOS does best: it finds 70.0 % of the images of a class, on average over the "
        "classes (2 seeds). At most one point below it: ROS."
    )


def test_pictures_beside_tables_are_no_classes(make_folder: MakeFolder) -> None:
    src = make_folder({"cat": 1, "dog": 1, "bird": 3})
    for name in ("cat", "dog"):
        (src / name / "summary.csv").touch()
    with pytest.raises(UserError, match="no output of imbsynth"):
        report_on(src)


def test_what_an_experiment_is_about_is_one_paragraph(tmp_path: Path) -> None:
    write_results(tmp_path / "results", CLEAR)
    path = tmp_path / "results/protocol.json"
    about = {"about": "the paper's\n  question\n"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **about}))
    _, page = report_on(tmp_path / "results")
    assert "the paper's question" in page.words("p")


def test_an_unfinished_verdict_is_said_not_fatal(tmp_path: Path) -> None:
    write_results(tmp_path / "results/grid", CLEAR)
    folder = tmp_path / "results/verdict"
    folder.mkdir()
    names = [f"folder/as is/{name}/{i}" for i in (0, 1) for name in ("plain", "copies")]
    protocol = {"data": {"folder": [".", None]}, "imbalances": {"as is": {}}, "trials": names}
    (folder / "protocol.json").write_text(json.dumps(protocol))
    report, _ = report_on(tmp_path / "results")
    assert report.problems == ["verdict: 4 of 4 trials are to do, so there is no verdict yet"]


def test_a_folder_of_images_alone_is_counted_and_shown(make_folder: MakeFolder) -> None:
    report, page = report_on(make_folder({"cat": 9, "dog": 3}))
    assert report.best == (
        "src has 12 images in 2 classes: the largest, cat, has 3 times as many images as the "
        "smallest, dog."
    )
    assert len(page.tags("img")) == 1


def test_an_imbalanced_copy_is_counted(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"cat": 9, "dog": 3})
    copy = tmp_path / "results/copy"
    imbalance.run(ImbalanceConfig(src=src, dst=copy, counts={"cat": 8, "dog": 1}, link="symbolic"))
    report, page = report_on(tmp_path / "results")
    assert "copy has 9 images in 2 classes" in report.best
    assert page.tags("img") == []  # links are not followed


def test_damaged_and_unknown_files_are_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    root = tmp_path / "results"
    write_scores(root / "good", 0.9, [36, 36])
    (root / "good/confusion.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    for name in ("metrics.json", "protocol.json", "run.json"):
        folder = root / f"bad {name}"
        folder.mkdir()
        (folder / name).write_text('{"command": [')
    (root / "clf.safetensors").write_bytes(b"nothing")
    (root / "run.state.safetensors").write_bytes(b"nothing")
    (root / "notes.txt").write_text("mine")
    write_run(root / "audit", "audit")
    (root / "audit/audit.json").write_text("{}")
    report, page = report_on(root)
    assert report.best.startswith("good on 80 test images: it finds 90.0 %")
    assert len(report.problems) == len(set(report.problems))
    for name in ("bad metrics.json", "bad protocol.json", "bad run.json", "clf", "run.state",
                 "audit/audit.json", "good/confusion.png"):  # fmt: skip
        assert any(name in problem for problem in report.problems), name
    assert report.sections[-1] == "What is not in this report"
    assert "notes.txt" in page.words("li")


def test_links_are_not_followed_and_pipes_not_opened(tmp_path: Path) -> None:
    root, outside = tmp_path / "results", tmp_path / "outside"
    write_scores(outside / "secret", 0.9, [36, 36])
    write_scores(root / "own", 0.5, [20, 20])
    (root / "linked").symlink_to(outside / "secret")
    (root / "own/confusion.png").unlink()
    (root / "own/confusion.png").symlink_to(outside / "secret/confusion.png")
    os.mkfifo(root / "own/mistakes.png")
    write_run(root / "gen", "generate", outputs={"../../outside/secret/x.png": "a", "b/1.png": "b"})
    report, page = report_on(root)
    assert report.best.startswith("own on 80 test images: it finds 50.0 %")
    assert page.tags("img") == []
    assert any("linked" in problem for problem in report.problems)


def test_an_empty_folder_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/notes.txt").touch()
    for src in (tmp_path / "results", tmp_path / "nowhere"):
        with pytest.raises(UserError, match=src.name):
            run(ReportConfig(src=src, out=tmp_path / "page.html"))
    assert not (tmp_path / "page.html").exists()


def test_a_page_is_replaced_only_if_asked_and_may_stand_in_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "results"
    write_scores(root / "own", 0.5, [20, 20])
    out = root / "page.html"
    first = run(ReportConfig(src=root, out=out))
    with pytest.raises(UserError, match="exists"):
        run(ReportConfig(src=root, out=out))
    again = run(ReportConfig(src=root, out=out, force=True))
    assert again == first
    assert sorted(path.name for path in root.iterdir()) == ["own", "page.html"]


def test_images_sorted_by_class_are_no_damaged_predictions(tmp_path: Path) -> None:
    root = tmp_path / "results"
    write_scores(root / "own", 0.5, [20, 20])
    write_run(root / "sorted", "predict", outputs={"cat/1.png": "x"})
    problems = run(ReportConfig(src=root, out=tmp_path / "page.html")).problems
    assert not [problem for problem in problems if "sorted" in problem]


@pytest.mark.parametrize("name", ["thesis.html", "own/metrics.json"])
def test_a_file_that_is_no_report_is_never_replaced(tmp_path: Path, name: str) -> None:
    root = tmp_path / "results"
    write_scores(root / "own", 0.5, [20, 20])
    (root / "thesis.html").write_text("<!DOCTYPE html><title>mine</title>")
    before = contents(root)
    with pytest.raises(UserError, match="exists and is no page of imbsynth"):
        run(ReportConfig(src=root, out=root / name, force=True))
    assert contents(root) == before


def test_pictures_beyond_the_limit_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imbsynth.engine.reporting.pictures.MOST", 10)
    write_scores(tmp_path / "results/own", 0.5, [20, 20])
    draw(tmp_path / "results/own/confusion.png")
    report, page = report_on(tmp_path / "results")
    assert page.tags("img") == []
    assert any("own/confusion.png" in problem for problem in report.problems)


def test_inputs_without_digests_do_not_end_the_report(tmp_path: Path) -> None:
    root = tmp_path / "results"
    config = {"checkpoint": "clf.safetensors", "src": ["photos"]}
    write_run(root / "own", "predict", config=config, inputs={"checkpoint": [], "src": {}})
    _, page = report_on(root)
    assert any("imbsynth predict clf.safetensors photos" in line for line in page.words("code"))
