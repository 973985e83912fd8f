from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from imbsynth.configs import CompareConfig, ExperimentConfig
from imbsynth.engine import compare, experiment
from imbsynth.engine.events import Advanced, Event
from imbsynth.engine.experiments.protocol_files import parse_protocol, read_protocol
from imbsynth.engine.experiments.protocols import Trial
from imbsynth.engine.experiments.workspace import Workspace
from imbsynth.errors import UserError
from imbsynth.store.outputs import claim
from tests.conftest import MakeFolder, contents
from tests.engine.comparison.files import change, make_older

PROJECT = Path(__file__).parent.parent.parent
TINY: dict[str, Any] = {
    "data": {"bars": {"train": "train", "test": "test"}},
    "imbalance": {"as is": {}, "linear": {"profile": "linear", "ratio": 2}},
    "seeds": [1],
    "train": {"epochs": 1, "batch-size": 8},
    "train-ae": {"epochs": 1, "latent-dim": 4, "batch-size": 8},
    "methods": {
        "plain": {"train": {"oversample": "none"}},
        "AOS": {},
        "DeepSMOTE": {"train-ae": {}, "train": {"oversample": "none"}},
    },
}


@pytest.fixture
def root(make_folder: MakeFolder) -> Path:
    """Folders `train` and `test` of two classes, which share no image."""
    make_folder({"a": 4, "b": 4}, name="test", first=100)
    return make_folder({"a": 12, "b": 8}, name="train").parent


def config(root: Path, protocol: dict[str, Any] = TINY, **options: Any) -> ExperimentConfig:
    file = root / "protocol.yaml"
    file.write_text(yaml.safe_dump(protocol, sort_keys=False))
    settings: dict[str, Any] = {"data": root, "out": root / "out", "device": "cpu"}
    return ExperimentConfig(protocol=file, **settings | options)


def test_every_trial_is_run_once(root: Path) -> None:
    report = experiment.run(config(root))
    assert list(report.trials.values()) == ["made now"] * 6
    before = contents(root / "out")
    report = experiment.run(config(root))
    assert list(report.trials.values()) == ["done"] * 6
    assert contents(root / "out") == before
    result = json.loads((root / "out/trials/bars/linear/AOS/1.json").read_text())
    assert result["trial"] == {"data": "bars", "imbalance": "linear", "method": "AOS", "seed": 1}
    assert result["tests"]["test"]["images"] == 8
    assert result["imbalanced_copy"] == {"counts": {"a": 12, "b": 6}, "rho": 2.0, "mu": 0.5}


def test_an_imbalance_may_say_how_files_are_taken_over(root: Path) -> None:
    linked = {"linear": {"profile": "linear", "ratio": 2, "link": "hard"}}
    plain = {"plain": {"train": {"oversample": "none"}}}
    report = experiment.run(config(root, {**TINY, "imbalance": linked, "methods": plain}))
    assert list(report.trials.values()) == ["made now"]
    copies = list((root / "out/work").glob("bars/linear/*/rare/*/*.png"))
    assert copies
    assert not any(path.is_symlink() for path in copies)


def test_a_dry_run_writes_nothing(root: Path) -> None:
    report = experiment.run(config(root, dry_run=True))
    assert list(report.trials.values()) == ["to do"] * 6
    assert not (root / "out").exists()


def test_shards_share_the_grid_at_the_same_time(root: Path) -> None:
    one = {**TINY, "imbalance": {"as is": {}}, "seeds": [0]}
    file = config(root, one).protocol
    command = [sys.executable, "-m", "imbsynth", "experiment", str(file), "--data", str(root)]
    command += ["--out", str(root / "out"), "--json", "--quiet"]
    shards = [
        subprocess.Popen([*command, "--shard", f"{i}/2"], stdout=subprocess.PIPE) for i in (1, 2)
    ]
    found = [json.loads(shard.communicate()[0])["trials"] for shard in shards]
    assert [shard.returncode for shard in shards] == [0, 0]
    made = [name for trials in found for name, status in trials.items() if status == "made now"]
    assert sorted(made) == [f"bars/as is/{method}/0" for method in ("AOS", "DeepSMOTE", "plain")]


PLAIN: dict[str, Any] = {**TINY, "imbalance": {"as is": {}}, "methods": {"plain": {}}}

CLAIM = """
import sys, time
from pathlib import Path
from imbsynth.store.outputs import claim

with claim(Path(sys.argv[1])):
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_the_trial_of_a_process_that_was_killed_is_taken_up(root: Path) -> None:
    """While it is being done, it is passed over."""
    experiment.run(config(root, PLAIN))
    settings = config(root, {**PLAIN, "seeds": [2, 3, 4]})
    target = root / "out/trials/bars/as is/plain/2.json"
    command = [sys.executable, "-c", CLAIM, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        undone: list[bool] = []

        def killed_late(event: Event) -> None:
            if isinstance(event, Advanced) and event.done == 2:  # the third trial is left
                undone.append(not target.exists())
                other.kill()
                other.wait()

        try:
            report = experiment.run(settings, on_event=killed_late)
        finally:
            other.kill()
    assert undone[0]
    assert list(report.trials.values()) == ["made now"] * 3


def test_other_trials_come_first_while_another_process_trains_an_autoencoder(root: Path) -> None:
    experiment.run(config(root, {**PLAIN, "seeds": [0]}))  # so that there is an experiment
    methods = {name: TINY["methods"][name] for name in ("DeepSMOTE", "plain")}
    settings = config(root, {**TINY, "imbalance": {"as is": {}}, "methods": methods})
    assert settings.protocol is not None
    workspace = Workspace(read_protocol(settings.protocol), root, settings.out, "cpu")
    encoded, plain = workspace.protocol.trials()
    autoencoder = workspace.autoencoder(encoded)
    assert autoencoder is not None
    autoencoder.parent.mkdir(parents=True)
    done: list[list[bool]] = []
    with ExitStack() as other:
        other.enter_context(claim(autoencoder))
        late = threading.Timer(20, other.close)  # so that nothing is waited for without end
        late.start()

        def finished(event: Event) -> None:
            done.append([workspace.is_done(trial) for trial in (encoded, plain)])
            if workspace.is_done(plain):
                other.close()

        report = experiment.run(settings, on_event=finished)
        late.cancel()
    assert [False, True] in done
    assert list(report.trials.values()) == ["made now"] * 2


def test_a_trial_that_another_process_is_doing_is_left_to_it(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    with claim(root / "out/trials/bars/as is/plain/2.json"):
        told: list[Event] = []
        report = experiment.run(config(root, {**PLAIN, "seeds": [2, 3]}), on_event=told.append)
    assert list(report.trials.values()) == ["to do", "made now"]
    advances = [event for event in told if isinstance(event, Advanced)]
    done = [event.done for event in advances if event.detail.startswith("bars/as is/plain/3")]
    assert max(done) == 1  # what the other process has not done yet does not count


def test_folds_test_on_what_they_do_not_train_on(root: Path) -> None:
    folds = {
        **TINY,
        "data": {"bars": {"train": "train"}},
        "imbalance": {"as is": {}},
        "tests": {"balanced": {}, "cut": {"counts": "2,1"}},
        "methods": {"plain": {}},
        "folds": 4,
    }
    del folds["seeds"]
    report = experiment.run(config(root, folds))
    assert list(report.trials) == [f"bars/as is/plain/{seed}" for seed in range(4)]
    result = json.loads((root / "out/trials/bars/as is/plain/3.json").read_text())
    assert result["tests"]["balanced"]["images"] == 5
    assert result["tests"]["cut"]["images"] == 3
    rows = compare.run(CompareConfig(src=root / "out")).rows
    assert [row["problem"] for row in rows] == ["bars, as is, balanced", "bars, as is, cut"]
    assert rows[0]["seeds"] == 4


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"train": {"epochs": 2, "batch-size": 8}}, "with aos-train epochs 1, not 2"),
        ({"methods": {"plain": {"train": {"tau": 0.1}}}}, "with aos-train tau 0.8, not 0.1"),
        ({"methods": {"plain": {"generate": {}}}}, "without generate"),
        ({"imbalance": {"as is": {"counts": "4,4"}}}, "without imbalance"),
        ({"tests": {"test": {"counts": "2,2"}}}, "without tests test"),
        ({"val-fraction": 0.3}, "with val-fraction 0.2, not 0.3"),
    ],
)
def test_results_of_other_options_are_kept_and_named(
    root: Path, changes: dict[str, Any], problem: str
) -> None:
    experiment.run(config(root, PLAIN))
    before = contents(root / "out")
    with pytest.raises(UserError, match=r"plain/1\.json was made ") as caught:
        experiment.run(config(root, {**PLAIN, **changes}))
    assert problem in caught.value.problem
    assert contents(root / "out") == before


@pytest.mark.parametrize("part", ["train", "test"])
def test_results_of_other_images_are_kept_and_named(root: Path, part: str) -> None:
    experiment.run(config(root, PLAIN))
    path = next((root / part).rglob("*.png"))
    path.write_bytes(path.read_bytes() + b"\0")
    expected = "from other images" if part == "train" else "from other test-images"
    with pytest.raises(UserError, match=expected):
        experiment.run(config(root, PLAIN, dry_run=True))


def test_a_trial_with_other_options_is_made_anew_once_its_file_is_gone(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    file = root / "out/trials/bars/as is/plain/1.json"
    first = json.loads(file.read_text())
    file.unlink()
    longer = {**PLAIN, "train": {"epochs": 2, "batch-size": 8}}
    assert list(experiment.run(config(root, longer)).trials.values()) == ["made now"]
    second = json.loads(file.read_text())
    assert (first["training"]["epochs"], second["training"]["epochs"]) == (1, 2)
    assert second["recipe"]["aos_train"]["epochs"] == 2
    assert second["recipe"]["aos_train"]["epsilon"] == 0.02  # by default, and written down


def test_a_grid_may_grow(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    report = experiment.run(config(root, {**PLAIN, "seeds": [1, 2]}))
    assert list(report.trials.values()) == ["done", "made now"]
    assert compare.run(CompareConfig(src=root / "out")).rows[0]["seeds"] == 2


def test_scripts_find_the_trials_by_their_former_name_too(root: Path) -> None:
    report = experiment.run(config(root, PLAIN, dry_run=True))
    assert report.cells == report.trials == {"bars/as is/plain/1": "to do"}


def test_an_experiment_of_an_older_version_is_resumed(root: Path) -> None:
    experiment.run(config(root))
    make_older(root / "out")
    latest = root / "out/cells/bars/linear/AOS/1.json"
    before = contents(root / "out/cells")
    latest.unlink()
    change(root / "out/cells/bars/linear/plain/1.json", lambda found: found.pop("cut"))
    change(root / "out/cells/bars/as is/AOS/1.json", forget_an_option)
    report = experiment.run(config(root))
    made = [name for name, status in report.trials.items() if status == "made now"]
    assert made == ["bars/linear/AOS/1"]
    assert (root / "out/trials/bars/linear/AOS/1.json").exists()
    assert before.keys() - contents(root / "out/cells").keys() == {"bars/linear/AOS/1.json"}
    assert json.loads((root / "out/protocol.json").read_text()).keys() >= {"trials", "data"}
    assert list(experiment.run(config(root)).trials.values()) == ["done"] * 6
    changed = {**TINY, "methods": {"AOS": {"train": {"epsilon": 0.1}}}}
    with pytest.raises(UserError, match=r"with aos-train epsilon 0\.02, not 0\.1"):
        experiment.run(config(root, changed))


def forget_an_option(found: dict[str, Any]) -> None:
    """As in the recipe of a version that did not have it."""
    del found["recipe"]["aos_train"]["epsilon"]


def test_a_fold_count_that_did_not_fit_may_be_mended(root: Path) -> None:
    folds = {**PLAIN, "data": {"bars": {"train": "train"}}, "folds": 9, "seeds": [0]}
    with pytest.raises(UserError, match="class b"):
        experiment.run(config(root, folds))
    assert list(experiment.run(config(root, {**folds, "folds": 4})).trials.values()) == ["made now"]


def test_a_folder_of_something_else_is_left_alone(root: Path) -> None:
    (root / "out").mkdir()
    (root / "out/thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"out holds thesis\.txt, and no experiment"):
        experiment.run(config(root))
    with pytest.raises(UserError, match="and no experiment"):
        experiment.run(ExperimentConfig(on=root / "train", out=root / "out", device="cpu"))
    (root / "out/protocol.json").write_text('{"study": "mine"}')
    with pytest.raises(UserError, match=r"holds protocol\.json, thesis\.txt, and no experiment"):
        experiment.run(config(root))
    assert list(contents(root / "out")) == ["protocol.json", "thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(root: Path) -> None:
    (root / "out").write_text("mine")
    with pytest.raises(UserError, match="out is not a folder"):
        experiment.run(config(root, dry_run=True))
    assert (root / "out").read_text() == "mine"


@pytest.mark.parametrize("recipe", [None, [1], {"aos_train": "x"}, {}])
def test_a_result_without_our_recipe_is_named_shortly(root: Path, recipe: Any) -> None:
    experiment.run(config(root, PLAIN))
    path = root / "out/trials/bars/as is/plain/1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recipe": recipe}))
    with pytest.raises(UserError, match=r"plain/1\.json was made with") as caught:
        experiment.run(config(root, PLAIN))
    assert len(caught.value.problem) < len(str(path)) + 60


def test_results_do_not_go_among_the_images(root: Path) -> None:
    before = contents(root / "train")
    with pytest.raises(UserError, match=r" lies in | holds "):
        experiment.run(config(root, out=root / "train/a/out"))
    assert contents(root / "train") == before


def test_options_of_a_folder_are_refused_with_a_protocol(root: Path) -> None:
    with pytest.raises(UserError, match="budget goes with on"):
        config(root, budget="large")


def test_a_missing_data_set_is_said_before_anything_runs(root: Path) -> None:
    with pytest.raises(UserError, match="no such folder, which data set bars needs"):
        experiment.run(config(root, data=root / "nowhere"))
    assert not (root / "out").exists()


@pytest.mark.parametrize("path", sorted(PROJECT.glob("experiments/*.yaml")), ids=lambda p: p.name)
def test_the_protocols_that_come_along_are_read(path: Path) -> None:
    protocol = read_protocol(path)
    assert protocol.about
    assert len(list(protocol.trials())) > 8


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"metods": {}}, "unknown key metods"),
        ({"methods": {}}, "methods is not a list of names"),
        ({"methods": {"../x": {}}}, "cannot be part of a file name"),
        ({"methods": {"..": {}}}, "cannot be part of a file name"),
        ({"imbalance": {".": {}}}, "cannot be part of a file name"),
        ({"methods": {"AOS": {}, "aos": {}}}, "must differ in more than their case"),
        ({"methods": {False: {}}}, "reads a name as False: put it in quotes"),
        (
            {"imbalance": {"a": {"counts-file": "counts.yaml"}}},
            "'counts-file' is no option of imbalance",
        ),
        ({"methods": {"a": {"train": {"epsilon": 2}}}}, "epsilon is 2"),
        ({"methods": {"a": {"train": {"epsilon": "far"}}}}, "epsilon is 'far': give a number in"),
        (
            {"methods": {"a": {"train": {"oversample": "aso"}}}},
            r"'aso': did you mean aos\? If not, give one of aos, smote, transfer, amdo, ccr, rbo",
        ),
        ({"methods": {"a": {"train": {"src": "x"}}}}, "'src' is no option of aos-train"),
        ({"methods": {"a": {"training": {}}}}, "a has other keys"),
        ({"methods": {"a": {"per-imbalance": {"b": {}}}}}, "known are as is, linear"),
        ({"methods": {"a": {"per-imbalance": {"linear": {"tau": 2}}}}}, "tau is 2"),
        ({"imbalance": {"a": {"profile": "exp"}}}, "ratio goes with profile"),
        ({"data": {"a": "train"}}, "a is not train and test"),
        ({"data": {"a": {"train": "x"}}}, "a needs train and test"),
        ({"folds": 1}, "folds is 1"),
        ({"seeds": [0, 0]}, "give each once"),
        ({"seeds": "0"}, "give a list"),
        ({"val-fraction": 1.5}, "val-fraction is 1.5"),
    ],
)
def test_a_wrong_protocol_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(yaml.safe_dump({**TINY, **changes}))
    with pytest.raises(UserError, match=problem) as caught:
        read_protocol(file)
    assert "protocol.yaml" in caught.value.problem


@pytest.mark.parametrize("text", ["[1]", "a: [", "!!python/object/apply:os.system ['x']", "\xff"])
def test_what_is_no_protocol_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"protocol\.yaml"):
        read_protocol(file)


def test_a_method_may_be_told_apart_by_imbalance() -> None:
    own = {"train": {"tau": 0.6, "epochs": 2}, "per-imbalance": {"linear": {"tau": 0.4}}}
    protocol = parse_protocol({**TINY, "methods": {"AOS": own, "plain": {}}})
    train = {"epochs": 2, "batch_size": 8}
    assert protocol.methods["AOS"].training("as is") == {**train, "tau": 0.6}
    assert protocol.methods["AOS"].training("linear") == {**train, "tau": 0.4}


def test_a_protocol_may_be_described_anew(root: Path) -> None:
    experiment.run(config(root, PLAIN))
    report = experiment.run(config(root, {**PLAIN, "about": "clearer"}))
    assert list(report.trials.values()) == ["done"]


def test_numbers_are_read_as_the_options_have_them() -> None:
    changed = {**TINY, "train": {"lr": "1e-3", "image-size": 32, "epochs": 3}}
    method = parse_protocol(changed).methods["AOS"]
    assert method.train == {"lr": 0.001, "image_size": (32, 32), "epochs": 3}
    assert Trial("a", "b", "c", 1).name == "a/b/c/1"


def test_generators_contend_and_are_trained_once_for_all_that_share_them(root: Path) -> None:
    small: dict[str, Any] = {"kind": "gamo", "epochs": 1}
    own = {"kind": "bagan", "pretrain-epochs": 1, "epochs": 1, "latent-dim": 4}
    methods: dict[str, Any] = {
        "BAGAN": {"train-generator": own, "train": {"oversample": "none"}},
        "GAMO": {"train-generator": {**small}, "train": {"oversample": "none"}},
        "GAMO + affine": {
            "train-generator": {**small},
            "train": {"oversample": "none", "lr": 0.002},
        },
        "plain": {"train": {"oversample": "none"}},
    }
    wanted = {**TINY, "imbalance": {"as is": {}}, "methods": methods}
    report = experiment.run(config(root, wanted))
    assert list(report.trials.values()) == ["made now"] * 4
    (shared,) = (root / "out/work/bars/as is").iterdir()
    assert len(list(shared.glob("generator-*.safetensors"))) == 2
    assert len(list(shared.glob("generated-*/run.json"))) == 2
    recipes = {
        name: json.loads((root / f"out/trials/bars/as is/{name}/1.json").read_text())["recipe"]
        for name in methods
    }
    assert recipes["BAGAN"]["train_generator"]["kind"] == "bagan"
    assert "train_generator" not in recipes["plain"]  # names of what others made stay as they were
    assert list(experiment.run(config(root, wanted)).trials.values()) == ["done"] * 4
    other = {**methods, "GAMO": {**methods["GAMO"], "train-generator": {**small, "epochs": 2}}}
    with pytest.raises(UserError, match="train-generator epochs 1, not 2"):
        experiment.run(config(root, {**wanted, "methods": other}))


def test_a_generator_of_a_protocol_names_its_kind(root: Path) -> None:
    methods = {"some": {"train-generator": {"epochs": 1}}}
    with pytest.raises(UserError, match="methods some train-generator names no kind"):
        experiment.run(config(root, {**TINY, "methods": methods}))
