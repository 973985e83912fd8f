"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import imbsynth

ROOT = Path(imbsynth.__file__).parent
ENGINE = ROOT / "engine"
MODULES = sorted(ROOT.rglob("*.py"))

MAY_IMPORT = {
    "cli": {
        *("cli", "engine", "core", "store", "runtime"),
        *("configs", "command_lines", "options", "kinds", "errors"),
    },
    "api": {"interop", "engine", "configs", "options"},
    "interop": {"interop", "engine", "core", "configs", "runtime", "errors"},
    "engine": {
        *("engine", "core", "models", "figures", "pages", "store", "runtime"),
        *("configs", "command_lines", "options", "errors", "extras"),
    },
    "figures": {"figures", "store"},
    "pages": {"pages", "store"},
    "store": {"store", "configs", "options", "errors", "extras"},
    "core": {"core"},
    "models": {"models"},
    "runtime": {"runtime", "errors"},
    "configs": {"configs", "options", "kinds", "errors", "core"},  # of core, only the tables
    "command_lines": {"options", "kinds"},
    "options": {"kinds", "errors"},
    "kinds": set(),
    "errors": set(),
    "extras": {"errors"},
    "__main__": {"cli"},
    "__init__": {"api", "interop", "configs", "errors"},  # where they are used
}

# Within engine, by module or room. A row names only rows above it, or commands without a row, which
# may import every room but experiments and comparison: so there is no cycle.
SHARED = {
    "events",
    "grouping",
    "decoded",
    "configured",
    "local_sources",
    "manifest",
    "previews",
    "processes",
    "reading",
    "source_folders",
    "overlap",
    "time_left",
}
STEPS_OF_A_TRIAL = {
    *("imbalance", "split", "train_ae", "train_generator", "generate", "aos_train", "evaluate")
}
ENGINE_MAY_IMPORT = {
    "__init__": set(),
    "events": set(),
    "time_left": set(),
    "local_sources": {"events"},
    "decoded": {"events"},
    "configured": {"events", "local_sources"},
    "grouping": {"events"},
    "manifest": set(),
    "previews": set(),
    "processes": {"events"},
    "reading": {"events", "previews", "decoded"},
    "source_folders": {"manifest", "reading"},
    "overlap": {"manifest", "reading"},
    "inference": SHARED,
    "sources": SHARED | {"inference"},
    "training": SHARED | {"inference", "sources"},
    "evaluation": SHARED | {"inference"},
    "distances": SHARED | {"inference"},
    "auditing": SHARED | {"inference", "sources", "training"},
    "inspecting": SHARED,
    "experiments": SHARED | STEPS_OF_A_TRIAL,
    "comparison": SHARED,
    "reporting": SHARED | {"experiments", "comparison"},
    "compare": SHARED | {"comparison"},
    "experiment": SHARED | {"experiments"},
    "report": SHARED | {"reporting"},
}
A_COMMAND_MAY_IMPORT = SHARED | {
    *("inference", "sources", "training", "evaluation", "distances", "auditing"),
    "inspecting",
}


def room(path: Path, within: Path = ROOT) -> str:
    return path.relative_to(within).parts[0].removesuffix(".py")


def imported(path: Path, package: str) -> set[str]:
    """What a file imports of a package: the names directly below it."""
    names = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    start = f"{package}."
    return {name.removeprefix(start).split(".")[0] for name in names if name.startswith(start)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_arrows_point_down(path: Path) -> None:
    assert imported(path, "imbsynth") - {"__version__"} <= MAY_IMPORT[room(path)]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("*.py")), ids=lambda path: path.stem
)
def test_of_core_configs_read_only_the_tables(path: Path) -> None:
    assert imported(path, "imbsynth.core") <= {"tables"}


@pytest.mark.parametrize(
    "path", sorted(ENGINE.rglob("*.py")), ids=lambda path: path.relative_to(ENGINE).as_posix()
)
def test_arrows_within_engine_make_no_cycle(path: Path) -> None:
    own = room(path, ENGINE)
    allowed = ENGINE_MAY_IMPORT.get(own, A_COMMAND_MAY_IMPORT)
    assert imported(path, "imbsynth.engine") - {own} <= allowed


def test_directly_in_engine_stand_the_commands_and_what_they_share() -> None:
    from imbsynth.cli.commands import SUMMARIES

    commands = {name.replace("-", "_") for name in SUMMARIES}
    assert {path.stem for path in ENGINE.glob("*.py")} == commands | SHARED | {"__init__"}


def test_the_page_on_the_architecture_names_every_folder_and_the_rooms_in_their_order() -> None:
    page = (ROOT.parent / "docs/architecture.md").read_text(encoding="utf-8")
    package = page.partition("\nimbsynth/\n")[2].partition("\ntests/")[0]
    named = re.findall(r"^  (\S+)", package, re.MULTILINE)
    entries = {f"{path.name}/" if path.is_dir() else path.name for path in ROOT.iterdir()}
    assert {*named} == entries - {"__init__.py", "__main__.py", "__pycache__/", "py.typed"}
    rooms = re.findall(r"^    (\w+)/ ", package, re.MULTILINE)
    assert {*rooms} == {path.parent.name for path in ENGINE.glob("*/__init__.py")}
    assert rooms == [name for name in ENGINE_MAY_IMPORT if name in rooms]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_forbidden_words(path: Path) -> None:
    source = path.read_text()
    banned = [r"\bprint\(", r"\.cuda\(", r"except Exception\b", r"^\s*assert ", r"import click"]
    if room(path) != "runtime":
        banned.append("manual_seed")
    if room(path) == "cli":
        banned.append(r"^(import|from) torch")
    found = [word for word in banned if re.search(word, source, re.MULTILINE)]
    assert not found or (path.name == "console.py" and found == [r"\bprint\("])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_no_error_names_no_field_by_option(path: Path) -> None:
    """`option` marks a name for `UserError`: in help and in events the marks would be shown."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    shown = [call for call in calls if ast.unparse(call.func) in {"Note", "Started", "Option"}]
    marked = [name for call in shown for name in ast.walk(call) if isinstance(name, ast.Name)]
    assert not [name.lineno for name in marked if name.id == "option"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_public_functions_and_classes_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    missing = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert ast.get_docstring(tree)
    assert not missing


HEAVY = {"torch", "numpy", "PIL", "yaml", "safetensors", "typer", "rich"}


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("imbsynth.cli", HEAVY - {"typer", "rich"}),
        ("imbsynth.configs", HEAVY),
        ("imbsynth.core.tables", HEAVY | {"imbsynth.core.samplers"}),
        ("imbsynth.engine.inspect, imbsynth.engine.imbalance, imbsynth.engine.split", {"torch"}),
        ("imbsynth.engine.convert", {"torch"}),
        ("imbsynth.engine.compare", {"torch"}),
        ("imbsynth.engine.report", {"torch"}),
    ],
)
def test_what_answers_at_once_loads_nothing_heavy(modules: str, heavy: set[str]) -> None:
    code = f"import sys, {modules}; sys.exit(', '.join({heavy} & sys.modules.keys()) or None)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
