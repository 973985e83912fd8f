from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from imbsynth.cli import app
from tests.conftest import MakeFolder, draw_image

COMMANDS = [
    "inspect", "imbalance", "split", "train-ae", "generate", "aos-train", "evaluate", "compare",
    "experiment", "fid", "audit", "predict", "export", "report", "train-generator",
]  # fmt: skip


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    code, out, _ = invoke(command, "--help")
    assert code == 0
    assert f"Example: imbsynth {command}" in out


def test_help_has_sections_and_examples_that_can_be_copied() -> None:
    code, out, _ = invoke("aos-train", "--help")
    assert code == 0
    lines = out.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    panels = ["Balancing:", "Synthetic images:", "Learning:", "Pretrained backbone:"]
    assert headings == ["Arguments:", "Options:", *panels, "Run:"]
    assert sum(line.startswith("  --epsilon") for line in lines) == 1
    (long,) = [line for line in lines if "--augment flip-crop" in line]
    assert long.startswith("  Example: imbsynth aos-train photos/train")
    assert long.endswith("--epochs 50")


def test_help_says_of_every_command_what_it_does_in_a_whole_sentence() -> None:
    _, out, _ = invoke("--help")
    text = " ".join(out.split())
    assert (
        "split Split a folder into training, validation and test parts, or folds. train-ae" in text
    )
    assert "..." not in text.partition("Commands:")[2]


def test_help_is_drawn_without_rich() -> None:
    code = "import sys; from imbsynth.cli import app; app(['--help'], standalone_mode=False); "
    code += "sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_json_keys_that_others_rely_on(rare: Path, tmp_path: Path) -> None:
    def keys(*arguments: object) -> set[str]:
        code, out, err = invoke(*arguments, "--json")
        assert code == 0, err
        assert out.count("\n") == 1
        return set(json.loads(out))

    ae = tmp_path / "ae.safetensors"
    assert keys("inspect", rare) >= {
        "counts", "rho", "mu", "images", "sizes", "modes", "unreadable", "duplicates",
    }  # fmt: skip
    assert keys("imbalance", rare, tmp_path / "im", "--counts", "4,3,2,1") >= {
        "counts", "rho", "mu", "images", "out",
    }  # fmt: skip
    train = ["train-ae", rare, "--out", ae, "--epochs", 1, "--latent-dim", 4]
    assert keys(*train) >= {
        "checkpoint", "epochs", "recon_loss", "penalty_loss", "images_per_second",
    }  # fmt: skip
    assert keys("generate", rare, tmp_path / "gen", "--ae", ae) >= {
        "added", "counts", "images_per_second", "out",
    }  # fmt: skip
    asked = ["--kid", "--precision-recall"]
    assert keys("fid", rare, tmp_path / "gen", "--features", "pixels", *asked) >= {
        "fid", "features", "n_real", "n_fake", "per_class", "kid", "kid_std",
        "precision", "recall", "density", "coverage",
    }  # fmt: skip


def test_the_json_keys_of_the_classifier_side(make_folder: MakeFolder, tmp_path: Path) -> None:
    src, clf = make_folder({"a": 8, "b": 4}), tmp_path / "clf.safetensors"
    code, out, err = invoke("aos-train", src, "--out", clf, "--epochs", 2, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result.keys() >= {"checkpoint", "epochs", "best_epoch", "val", "seconds_per_epoch"}
    assert result["val"].keys() >= {"f1_macro", "acsa", "g_mean"}

    arguments = ["--allow-overlap", "--out", tmp_path / "results/a", "--json"]
    code, out, err = invoke("evaluate", clf, src, *arguments)
    assert code == 0, err
    result = json.loads(out)
    scores = {
        "acsa", "gm", "g_mean", "f1_macro", "mcc", "kappa", "auroc_macro", "ece", "brier",
    }  # fmt: skip
    assert result.keys() >= {"images", "intervals", "per_class", "confusion"} | scores
    assert result["intervals"].keys() == scores
    assert result["per_class"]["a"].keys() >= {
        "precision", "recall", "specificity", "f1", "support",
    }  # fmt: skip

    code, out, err = invoke("evaluate", clf, src, "--allow-overlap")
    assert code == 0, err
    assert "12 images; 95 % intervals" in out
    files = sorted(src.rglob("*.png"))[:3]
    code, out, err = invoke("predict", clf, *files, "--out", tmp_path / "predicted", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["images"], Path(result["out"])) == (3, tmp_path / "predicted")

    code, out, err = invoke(
        "export", clf, "--to", "torchscript", "--out", tmp_path / "clf.pt", "--json"
    )
    assert code == 0, err
    assert Path(json.loads(out)["out"]) == tmp_path / "clf.pt"

    code, out, err = invoke("compare", tmp_path / "results")
    assert code == 0, err
    assert "in brackets the 95 % interval" in out

    page = tmp_path / "results/report.html"
    code, out, err = invoke("report", tmp_path / "results", "--out", page, "--json")
    assert code == 0, err
    assert json.loads(out).keys() >= {"best", "sections", "problems", "out"}
    code, out, err = invoke("report", tmp_path / "results", "--out", page, "--force")
    assert code == 0, err
    assert out.splitlines()[0].startswith("a on 12 test images: it finds ")
    assert out.splitlines()[-1] == f"open {page} in a browser"


def test_split_prints_counts_a_part(make_folder: MakeFolder, tmp_path: Path) -> None:
    src = make_folder({"a": 10, "b": 5})
    code, out, _ = invoke("split", src, tmp_path / "dst", "--json")
    assert code == 0
    assert json.loads(out)["counts"]["train"] == {"a": 8, "b": 3}


def test_without_json_the_result_is_in_words(rare: Path, tmp_path: Path) -> None:
    code, out, _ = invoke("inspect", rare)
    assert code == 0
    assert "20 images in 4 classes" in out
    code, out, _ = invoke("generate", rare, tmp_path / "dst")
    assert code == 0
    assert "28 synthetic images" in out
    assert "samples.png" in out
    code, out, _ = invoke("fid", tmp_path / "dst", "--features", "pixels", "--kid")
    assert code == 0
    assert "all images: Fréchet distance (pixels)" in out
    assert "FID" not in out
    assert "n < 2,048: too high" in out
    assert "single: 1 real image, left out" in out


def test_many_sizes_are_few_words(make_folder: MakeFolder) -> None:
    src = make_folder({"a": 2})
    for side in range(10, 40):
        draw_image(0, side, 20, "L").save(src / f"a/{side}.png")
    _, out, _ = invoke("inspect", src)
    (line,) = (line for line in out.splitlines() if line.startswith("sizes: "))
    assert line.startswith("sizes: 8x8 (2), ")
    assert line.endswith(" and 26 more, from 8x8 to 39x20")
    assert len(json.loads(invoke("inspect", src, "--json")[1])["sizes"]) == 31


def test_a_folder_one_level_too_high_is_noticed(make_folder: MakeFolder, tmp_path: Path) -> None:
    make_folder({"a": 3, "b": 3}, name="data/Training")
    make_folder({"a": 2, "b": 2}, name="data/Testing")
    data, out = tmp_path / "data", tmp_path / "clf.safetensors"
    assert f"classes seem to be in {data}/Testing, {data}/Training" in invoke("inspect", data)[1]
    _, _, err = invoke("generate", data, tmp_path / "dst")
    assert "Testing, Training look like parts of a data set" in err
    (data / "Testing").rename(tmp_path / "elsewhere")
    code, _, err = invoke("aos-train", data, "--out", out)
    assert code == 2
    assert f"fix: give the folder of the classes: {data}/Training" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "{tmp}/nowhere"],
        ["imbalance", "{tmp}/nowhere", "{tmp}/dst", "--counts", "1"],
        ["imbalance", "{src}", "{tmp}/dst"],
        ["imbalance", "{src}", "{tmp}/dst", "--counts", "99,1,1,1"],
        ["split", "{src}", "{tmp}/dst"],
        ["split", "{tmp}/nowhere", "{tmp}/dst"],
        ["train-ae", "{tmp}/nowhere", "--out", "{tmp}/ae.safetensors"],
        ["train-ae", "{src}", "--out", "{tmp}/ae.pt"],
        ["train-ae", "{src}", "--out", "{tmp}/ae.safetensors", "--device", "cuda:77"],
        ["generate", "{tmp}/nowhere", "{tmp}/dst"],
        ["generate", "{src}", "{tmp}/dst", "--ae", "{tmp}/nowhere.safetensors"],
        ["generate", "{src}", "{tmp}/dst", "--ae", "{src}/common/000.png"],
        ["generate", "{src}", "{src}/common"],
        ["inspect", "{src}", "--config", "{tmp}/nowhere.yaml"],
        ["aos-train", "{tmp}/nowhere", "--out", "{tmp}/clf.safetensors"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors"],  # a class of one image
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--val", "{src}"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--epsilon", "0"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--tau", "1.5"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--model", "nothing"],
        ["evaluate", "{tmp}/nowhere.safetensors", "{src}"],
        ["evaluate", "{src}/common/000.png", "{src}", "--out", "{tmp}/out"],
        ["evaluate", "{tmp}/nowhere.safetensors", "{src}", "--tau", "some"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--want-recall", "few"],
        ["aos-train", "{src}", "--out", "{tmp}/clf.safetensors", "--want-recall", "nobody=0.9"],
        ["predict", "{tmp}/nowhere.safetensors", "{src}", "--out", "{tmp}/out"],
        ["export", "{tmp}/nowhere.safetensors", "--to", "torchscript", "--out", "{tmp}/x"],
        ["export", "{src}/common/000.png", "--to", "pickle", "--out", "{tmp}/x"],
        ["report", "{tmp}/nowhere", "--out", "{tmp}/page.html"],
        ["report", "{src}/common", "--out", "{tmp}/page.html"],
        ["report", "{src}", "--out", "{src}"],
        ["compare", "{src}"],
        ["compare", "{tmp}/nowhere"],
        ["experiment", "{tmp}/nowhere.yaml", "--data", "{tmp}", "--out", "{tmp}/out"],
        ["fid", "{src}", "{tmp}/nowhere"],
        ["fid", "{src}", "--features", "pixels"],
        ["fid", "{src}", "{src}", "--features", "{tmp}/nowhere.safetensors"],
        ["fid", "{src}", "{src}", "--weights", "{src}/common/000.png"],
        ["fid", "{src}", "{src}", "--features", "pixels", "--plot", "{src}/common/000.png"],
    ],
)
def test_what_the_user_can_fix_is_said_with_exit_code_2(
    rare: Path, tmp_path: Path, arguments: list[str]
) -> None:
    code, out, err = invoke(*(text.format(tmp=tmp_path, src=rare) for text in arguments))
    assert code == 2
    assert out == ""
    assert "fix:" in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["src"]


def test_options_come_from_a_file_and_the_command_line_wins(rare: Path, tmp_path: Path) -> None:
    (tmp_path / "options.yaml").write_text(
        "counts: [4, 3, 2, 1]\nseed: 5\nlink: hard\njson: true\n"
    )
    code, out, err = invoke(
        "imbalance", rare, tmp_path / "dst", "--config", tmp_path / "options.yaml"
    )
    assert code == 0, err
    assert json.loads(out)["counts"] == {"common": 4, "few": 3, "pair": 2, "single": 1}
    record = json.loads((tmp_path / "dst/run.json").read_text())
    assert (record["config"]["seed"], record["config"]["link"]) == (5, "hard")
    arguments = ["--config", tmp_path / "options.yaml", "--seed", 6, "--force"]
    assert invoke("imbalance", rare, tmp_path / "dst", *arguments)[0] == 0
    assert json.loads((tmp_path / "dst/run.json").read_text())["config"]["seed"] == 6


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour: blue", "'colour' is no option of imbalance"),
        ("[1, 2]", "not lines of the form `name: value`"),
        ("counts: {a: 1}", "counts is"),
        ("!!python/object/apply:os.system ['echo hacked']", "cannot be read as YAML"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_options_file_is_named(rare: Path, tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "options.yaml").write_text(text)
    code, out, err = invoke(
        "imbalance", rare, tmp_path / "d", "--config", tmp_path / "options.yaml"
    )
    assert (code, out) == (2, "")
    assert named in err
    assert "options.yaml" in err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("batch-size: 3\nbatch_size: 4\n", "--batch-size is given twice"),
        ("k-neighbors: many\n", "--k-neighbors is 'many'\n  fix: give a whole number from 1"),
        ("synthetic-only: 1\n", "--synthetic-only is 1\n  fix: give true or false"),
        ("src: elsewhere\n", "'src' is no option of generate"),
    ],
)
def test_wrong_values_of_a_file_are_spelled_as_options(
    rare: Path, tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / "options.yaml").write_text(text)
    code, out, err = invoke("generate", rare, tmp_path / "d", "--config", tmp_path / "options.yaml")
    assert (code, out) == (2, "")
    assert f"options.yaml: {named}" in err


def test_a_missing_options_file_is_named_with_the_fix(rare: Path, tmp_path: Path) -> None:
    code, _, err = invoke("inspect", rare, "--config", tmp_path / "nowhere.yaml")
    assert code == 2
    assert "nowhere.yaml: cannot be read" in err
    assert "fix: give the path of a file" in err


def test_a_required_option_may_stand_in_the_file_and_is_named_when_missing(
    rare: Path, tmp_path: Path
) -> None:
    code, _, err = invoke("train-ae", rare)
    assert code == 2
    assert "--out is missing" in err
    (tmp_path / "options.yaml").write_text(f"out: {tmp_path}/ae.pt\n")
    code, _, err = invoke("train-ae", rare, "--config", tmp_path / "options.yaml")
    assert code == 2
    assert f"--out {tmp_path}/ae.pt: checkpoints are .safetensors files" in err


def test_arguments_are_spelled_as_usage_shows_them(rare: Path, tmp_path: Path) -> None:
    code, _, err = invoke("experiment", "--out", tmp_path / "out")
    assert code == 2
    assert "neither a protocol nor --on is given" in err


def test_the_old_name_of_an_option_is_understood_and_not_shown(rare: Path, tmp_path: Path) -> None:
    assert invoke("generate", rare, tmp_path / "dst", "--neighbours", 3)[0] == 0
    record = json.loads((tmp_path / "dst/run.json").read_text())
    assert record["config"]["k_neighbors"] == 3
    assert "neighbours" not in invoke("generate", "--help")[1]
    code, _, err = invoke("generate", rare, tmp_path / "x", "--neighbours", 3, "--k-neighbors", 4)
    assert code == 2
    assert "--k-neighbors is given twice" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("imbsynth gen", {"generate"}),
        ("imbsynth generate --k", {"--k-neighbors"}),
        ("imbsynth generate --method s", {"smote"}),
        ("imbsynth aos-train --precision ", {"auto", "fp32", "bf16"}),
    ],
)
def test_the_shell_completes_commands_options_and_choices(words: str, expected: set[str]) -> None:
    environment = {
        **os.environ,
        "_IMBSYNTH_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    result = subprocess.run(process(), capture_output=True, text=True, env=environment)
    assert set(result.stdout.split()) == expected, result.stderr


def test_quiet_says_nothing_but_the_result(rare: Path, tmp_path: Path) -> None:
    code, _, err = invoke("generate", rare, tmp_path / "dst", "--quiet")
    assert (code, err) == (0, "")


def test_a_result_that_cannot_be_printed_is_said(rare: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            process("inspect", rare, "-q"), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 2
    assert "cannot be printed" in result.stderr
    assert "Traceback" not in result.stderr


def test_any_name_can_be_printed_in_any_encoding(rare: Path, tmp_path: Path) -> None:
    (rare / "few").rename(rare / "fürst 猫")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for command in (["inspect", rare], ["imbalance", rare, tmp_path / "猫", "--counts", "4,1,2,1"]):
        result = subprocess.run(process(*command), capture_output=True, text=True, env=environment)
        assert result.returncode == 0, result.stderr


def process(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "imbsynth", *map(str, arguments)]


def wait_until_it_says(begin: str, messages: IO[str]) -> None:
    """Read the messages of a process up to one that begins so, or to their end."""
    for line in messages:
        if line.startswith(begin):
            return


def test_the_version_is_printed_by_a_real_process() -> None:
    result = subprocess.run(process("--version"), capture_output=True, text=True)
    assert result.stdout.startswith("imbsynth ")
    assert result.returncode == 0


@pytest.mark.parametrize("closing", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["inspect", "generate"])
def test_a_closed_output_is_none(rare: Path, tmp_path: Path, command: str, closing: str) -> None:
    out = [tmp_path / "dst"] if command == "generate" else []
    line = shlex.join(map(str, process(command, rare, *out)))
    result = subprocess.run(["sh", "-c", f"{line} {closing}"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")
    assert "Traceback" not in result.stderr
    if out:
        assert (out[0] / "run.json").read_text().startswith("{")
        assert (out[0] / "manifest.jsonl").stat().st_size > 0


@pytest.mark.parametrize("options", [("--help",), ("inspect", "SRC"), ("inspect", "SRC", "--json")])
def test_a_reader_that_has_seen_enough_ends_it_quietly(
    rare: Path, options: tuple[str, ...]
) -> None:
    arguments = [str(rare) if option == "SRC" else option for option in options]
    with subprocess.Popen(
        process(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read().decode()
        assert running.wait() == -signal.SIGPIPE, said  # a shell calls it 141
    assert "Traceback" not in said
    assert "error" not in said


def test_a_run_whose_messages_nobody_reads_cleans_up(rare: Path, tmp_path: Path) -> None:
    command = process("generate", rare, tmp_path / "dst", "--to", 20_000)
    with subprocess.Popen(command, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        running.stderr.close()
        running.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) in (["src"], ["dst", "src"])


def test_nohup_keeps_a_run_alive(rare: Path, tmp_path: Path) -> None:
    out = tmp_path / "dst"
    command = ["nohup", *process("generate", rare, out, "--to", 20_000)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        wait_until_it_says("generating:", running.stderr)
        running.send_signal(signal.SIGHUP)
        running.stderr.read()
        assert running.wait() == 0
    assert (out / "run.json").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_training_can_go_on(
    rare: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "ae.safetensors"
    command = process("train-ae", rare, "--out", out, "--epochs", 100_000, "--patience", 0)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stderr is not None
        wait_until_it_says("training:", running.stderr)
        running.send_signal(number)
        rest = running.stderr.read()
        assert running.wait() == code, rest
    again = shlex.join(map(str, ["imbsynth", *command[command.index("train-ae") :], "--resume"]))
    assert f"stopped; to resume: {again}\n" in rest
    assert not out.exists()
    assert (tmp_path / "ae.state.safetensors").exists()


def test_a_stopped_generation_leaves_nothing(rare: Path, tmp_path: Path) -> None:
    command = process("generate", rare, tmp_path / "dst", "--to", 100_000)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        wait_until_it_says("generating:", running.stderr)
        running.send_signal(signal.SIGTERM)
        running.stderr.read()
        assert running.wait() == 143
    assert sorted(path.name for path in tmp_path.iterdir()) == ["src"]


def test_an_audit_that_passes_a_limit_ends_with_exit_code_3(rare: Path, tmp_path: Path) -> None:
    invoke("generate", rare, tmp_path / "dst", "--method", "ros")
    arguments = ["audit", tmp_path / "dst", "--epochs", 1, "--json"]
    code, out, _ = invoke(*arguments, "--min-fidelity", 0)
    assert code == 3
    found = json.loads(out)
    assert found["verdict"] == "fail"
    assert found["near_copies"] == 1
    assert {"probe_auroc", "label_fidelity", "per_class"} <= found.keys()
    loose = ["--min-fidelity", 0, "--max-near-copies", 1, "--max-auroc", 1]
    assert invoke(*arguments, *loose)[0] == 0
    assert "verdict: pass" in invoke(*arguments[:-1], *loose)[1]


def ended_by(script: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a script in a process of its own."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


IN_A_FINALISER = """
import importlib, signal, threading, time
cli = importlib.import_module("imbsynth.cli.app")
start = threading.Thread.start

def start_slowly(thread):
    start(thread)
    time.sleep(0.1)

threading.Thread.start = start_slowly

class Late:
    def __del__(self):
        signal.raise_signal(signal.{name})

def run(**_):
    Late()
    time.sleep(10)

cli.app = run
cli.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", -2), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_in_a_finaliser_is_not_lost(name: str, code: int) -> None:
    done = ended_by(IN_A_FINALISER.format(name=name))
    assert done.returncode == code
    assert "Exception ignored" not in done.stderr


WHILE_ANOTHER_IS_LOST = """
import importlib, signal
from imbsynth.errors import ProcessLost
cli = importlib.import_module("imbsynth.cli.app")

def run(**_):
    try:
        raise ProcessLost("another process has ended", "see what it said")
    except ProcessLost as error:
        signal.raise_signal(signal.{name})
        try:
            raise RuntimeError("nobody answers")
        except RuntimeError:
            signal.raise_signal(signal.{name})
        print(error)

cli.app = run
cli.main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_signal_of_torchrun_does_not_keep_a_process_from_saying_that_another_has_ended(
    name: str,
) -> None:
    done = ended_by(WHILE_ANOTHER_IS_LOST.format(name=name))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("another process has ended")


DURING_CLEANING = """
import importlib, signal
cli = importlib.import_module("imbsynth.cli.app")

def run(**_):
    try:
        signal.raise_signal(signal.{name})
    finally:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.{name})
        print("removed")

cli.app = run
cli.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", -2), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_second_signal_does_not_cut_the_cleaning_up_off(name: str, code: int) -> None:
    done = ended_by(DURING_CLEANING.format(name=name))
    assert (done.returncode, done.stdout) == (code, "removed\n")


WHILE_A_LIBRARY_IS_LOADED = """
import importlib, signal
cli = importlib.import_module("imbsynth.cli.app")

def run(**_):
    try:
        signal.raise_signal(signal.{name})
    except BaseException as stop:
        raise ImportError("initialization failed") from stop

cli.app = run
cli.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_while_a_library_is_loaded_is_no_crash(name: str, code: int) -> None:
    done = ended_by(WHILE_A_LIBRARY_IS_LOADED.format(name=name))
    assert (done.returncode, done.stderr) == (code, "")
