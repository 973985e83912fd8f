from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from imbsynth.configs import ExperimentConfig, SplitConfig
from imbsynth.configs.contenders import PLAIN, USUAL
from imbsynth.engine import experiment, split
from imbsynth.engine.events import Event, Note, Started, silent
from imbsynth.engine.experiments.folder_protocol import trial_on_folder
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.trials import carry_out, train_on_folder
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.engine.inference.classifier import load_classifier
from imbsynth.errors import UserError
from imbsynth.store.folders import scan
from imbsynth.store.records import write_json
from imbsynth.store.trials import PROTOCOL
from tests.conftest import MakeFolder, contents
from tests.engine.experiments.written import protocol_for


def write_trials(
    workspace: Workspace, trials: list[Trial], answers: dict[str, list[list[list[int]]]]
) -> None:
    """Results by method and fold; a method without any has those of plain training."""
    write_json(workspace.out / PROTOCOL, workspace.protocol.record())
    for trial in trials:
        tests = {"test": {"answers": answers.get(trial.method, answers[PLAIN])[trial.seed]}}
        path = workspace.target(trial)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"recipe": workspace.recipes.of(trial), "tests": tests})


def test_a_verdict_on_a_folder_resumes_where_it_stopped(make_folder: MakeFolder) -> None:
    src = make_folder({"common": 12, "rare": 3})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu")
    workspace = Workspace(protocol_for(scan(src), config), src, config.out, "cpu")
    trials = list(workspace.protocol.trials())
    assert len(trials) == 3 * len(USUAL)
    left = Trial("folder", "as is", "strong + DeepSMOTE", 0)
    good, bad = [[[0] * 4, [1]]] * 3, [[[0] * 4, [0]]] * 3
    config.out.mkdir()
    done = [trial for trial in trials if trial != left]
    write_trials(workspace, done, {PLAIN: bad, "copies": good, "strong + AOS": bad})

    heard: list[Event] = []
    report = experiment.run(config, on_event=heard.append)
    assert [name for name, status in report.trials.items() if status == "made now"] == [left.name]
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert "in class rare (3)" in notes[0]
    assert any(note.startswith("1 trial, about ") for note in notes)

    found = {verdict.method: verdict for verdict in report.verdicts}
    assert list(found["copies"].recalls) == ["rare", "common"]
    assert (found["copies"].acsa, found["copies"].words) == (1.0, "helps")
    assert found["copies"].gain == 0.5
    moved = found["strong + AOS"]
    assert (moved.gain, moved.words) == (0, "not clear")  # of 15 images
    assert found[PLAIN].words == ""
    low, high = moved.recall_intervals["rare"]
    assert low == 0 < 0.3 < high  # none of three found says little
    assert {Path(name).name for name in report.pictures} == {
        "acsa.png", "recalls.png", "samples.png", "reconstructions.png"
    }  # fmt: skip
    assert all(Path(name).stat().st_size > 0 for name in report.pictures)
    again = experiment.run(replace(config, train_winner=src.parent / "winner.safetensors"))
    assert set(again.trials.values()) == {"done"}
    assert again.winner == "copies"
    assert again.training.keys() == {"aos-train"}
    assert again.checkpoint == (src.parent / "winner.safetensors").as_posix()
    assert load_classifier(Path(again.checkpoint)).counts == {"common": 10, "rare": 2}


@pytest.mark.parametrize("counts", [{"a": 9, "b": 2}, {"a": 9}])
def test_a_folder_too_small_to_cross_validate_is_named(
    make_folder: MakeFolder, counts: dict[str, int]
) -> None:
    src = make_folder(counts)
    with pytest.raises(UserError, match="cross-validation needs two classes"):
        experiment.run(ExperimentConfig(on=src, out=src.parent / "out", device="cpu"))
    assert not (src.parent / "out").exists()


def test_unreadable_files_are_named_before_any_training(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 4})
    (src / "a/008.png").write_bytes((src / "a/008.png").read_bytes()[:60])
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu")
    told: list[Event] = []
    with pytest.raises(UserError, match=r"/src: 1 unreadable file: a/008\.png .*\n.*repair or"):
        experiment.run(config, on_event=told.append)
    tasks = {event.task for event in told if isinstance(event, Started)}
    assert tasks <= {"reading images"}


def test_equal_images_count_once(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 4})
    first, second, third, _ = sorted((src / "b").iterdir())
    second.write_bytes(first.read_bytes())
    config = ExperimentConfig(on=src, out=src.parent / "out", budget="medium")
    assert protocol_for(scan(src), config).folds == 3
    third.write_bytes(first.read_bytes())
    with pytest.raises(UserError, match="class b: different images: 2"):
        protocol_for(scan(src), config)


def test_results_of_another_folder_give_no_verdict(make_folder: MakeFolder) -> None:
    one, other = (
        make_folder({"a": 9, "b": 3}, name="one"),
        make_folder({"a": 9, "b": 3}, name="two"),
    )
    (other / "a/more.png").write_bytes(next((other / "a").iterdir()).read_bytes())
    config = ExperimentConfig(on=one, out=one.parent / "out", device="cpu")
    workspace = Workspace(protocol_for(scan(one), config), one, config.out, "cpu")
    config.out.mkdir()
    write_trials(workspace, list(workspace.protocol.trials()), {PLAIN: [[[0] * 3, [1]]] * 3})
    assert len(experiment.run(config).verdicts) == len(USUAL)
    with pytest.raises(UserError, match="was made "):
        experiment.run(replace(config, on=other))


def test_images_that_were_moved_in_between_are_named_and_what_to_do(
    make_folder: MakeFolder,
) -> None:
    """Copies link to them. To remove the links, as was advised, would leave images out."""
    src = make_folder({"a": 9, "b": 3})
    out = src.parent / "out"
    config = ExperimentConfig(on=src, out=out, device="cpu")
    workspace = Workspace(protocol_for(scan(src), config), src, out, "cpu")
    trials = [trial_on_folder(PLAIN, fold) for fold in (0, 3)]  # 3: of the winner's training
    linked = {"src": src, "link": "symbolic"}
    split.run(SplitConfig(dst=workspace.folds(trials[0]), folds=3, **linked))  # type: ignore[arg-type]
    split.run(SplitConfig(dst=workspace.shared(trials[1]) / "parts", **linked))  # type: ignore[arg-type]
    moved = replace(workspace, root=src.rename(src.parent / "moved"))
    with pytest.raises(UserError, match=r"no longer where they were\n.* remove .*out/work"):
        carry_out(moved, trials[0], silent)
    with pytest.raises(UserError, match=r"no longer where they were\n.* remove .*out/work"):
        train_on_folder(moved, PLAIN, out / "winner.safetensors", silent)


def test_a_result_with_a_class_that_is_not_there_is_named(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 3})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu")
    workspace = Workspace(protocol_for(scan(src), config), src, config.out, "cpu")
    config.out.mkdir()
    write_trials(workspace, workspace.protocol.trials(), {PLAIN: [[[0] * 3, [2]]] * 3})
    with pytest.raises(UserError, match=r"plain/0\.json: not written by this version"):
        experiment.run(config)


def test_a_dry_run_on_a_finished_experiment_writes_nothing(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 3})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu", dry_run=True)
    workspace = Workspace(protocol_for(scan(src), config), src, config.out, "cpu")
    config.out.mkdir()
    write_trials(workspace, workspace.protocol.trials(), {PLAIN: [[[0] * 3, [1]]] * 3})
    before = contents(config.out)
    report = experiment.run(config)
    assert report.verdicts
    assert not report.pictures
    assert contents(config.out) == before


def test_photographs_are_cross_validated_at_one_usual_size(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 3, "b": 3}, size=(96, 128))
    methods = protocol_for(scan(src), ExperimentConfig(on=src, out=Path("out"))).methods
    assert {method.train["image_size"] for method in methods.values()} == {(48, 64)}
    assert methods["strong + DeepSMOTE"].ae is not None
    assert methods["strong + DeepSMOTE"].ae["image_size"] == (48, 64)


def test_trials_are_listed_at_once_and_timed_on_request(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 6, "b": 6})
    told: list[Event] = []
    config = ExperimentConfig(on=src, out=src.parent / "out", dry_run=True, methods=("copies",))
    report = experiment.run(config, on_event=told.append)
    assert set(report.trials.values()) == {"to do"}
    assert [event.text[:10] for event in told if isinstance(event, Note)] == ["fewer than"]
    told.clear()
    experiment.run(replace(config, estimate=True), on_event=told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert notes[1] == "timing a short trial of each method"
    assert notes[2].startswith("6 trials, about ")
    assert not config.out.exists()


def test_an_estimate_is_for_trials_that_are_listed() -> None:
    with pytest.raises(UserError, match="estimate goes with on and dry_run"):
        ExperimentConfig(on=Path("src"), out=Path("out"), estimate=True)


def test_the_winner_is_not_trained_among_the_images(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 4})
    config = ExperimentConfig(
        on=src, out=src.parent / "out", train_winner=src / "a/clf.safetensors", device="cpu"
    )
    with pytest.raises(UserError, match=r" lies in | holds "):
        experiment.run(config)
    assert not config.out.exists()


@pytest.mark.parametrize("name", ["acsa.png", "recalls.png", "reconstructions.png", "samples.png"])
def test_a_picture_of_somebody_else_is_kept(make_folder: MakeFolder, name: str) -> None:
    src = make_folder({"a": 9, "b": 4})
    config = ExperimentConfig(on=src, out=src.parent / "out", device="cpu")
    workspace = Workspace(protocol_for(scan(src), config), src, config.out, "cpu")
    config.out.mkdir()
    write_json(config.out / PROTOCOL, workspace.protocol.record())
    Image.new("L", (9, 9)).save(config.out / name)
    before = contents(config.out)
    with pytest.raises(UserError, match=f"{name} exists and is no picture of imbsynth"):
        experiment.run(config)
    assert contents(config.out) == before


def test_a_checkpoint_of_somebody_else_is_noticed_before_any_trial(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 9, "b": 4})
    winner = src.parent / "clf.safetensors"
    winner.write_text("mine")
    config = ExperimentConfig(on=src, out=src.parent / "out", train_winner=winner, device="cpu")
    with pytest.raises(UserError, match=r"clf\.safetensors exists"):
        experiment.run(config)
    assert winner.read_text() == "mine"
    assert not config.out.exists()
