"""The Containerfile, as far as it can be checked without a program that builds containers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    pytest.skip("reads TOML with the standard library", allow_module_level=True)
import tomllib

PROJECT = Path(__file__).parent.parent
STEPS = [
    tuple(line.split(maxsplit=1))
    for line in (PROJECT / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def arguments(instruction: str) -> list[str]:
    """What follows each instruction of this name."""
    return [rest for name, rest in STEPS if name == instruction]


def copied() -> set[str]:
    """What is taken from the project."""
    groups = [rest.split() for rest in arguments("COPY") if not rest.startswith("--from")]
    return {source for group in groups for source in group[:-1]}


def test_its_instructions_are_known() -> None:
    known = {"ARG", "FROM", "RUN", "COPY", "WORKDIR", "ENV", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in STEPS} == known


def test_the_package_is_built_of_what_is_copied() -> None:
    about = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert copied() == {"pyproject.toml", "imbsynth", about["readme"], *about["license-files"]}
    assert all((PROJECT / source).exists() for source in copied())


def test_it_runs_the_command_with_a_supported_python() -> None:
    about = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    (entry,) = map(json.loads, arguments("ENTRYPOINT"))
    assert entry == list(about["scripts"])
    version = re.search(r"PYTHON=3\.(\d+)", " ".join(arguments("ARG")))
    oldest = re.fullmatch(r">=3\.(\d+)", about["requires-python"])
    assert version is not None
    assert oldest is not None
    assert int(version[1]) >= int(oldest[1])


@pytest.mark.parametrize("step", arguments("RUN"))
def test_its_steps_are_shell(step: str) -> None:
    assert subprocess.run(["sh", "-n", "-c", step]).returncode == 0
