from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from imbsynth.command_lines import command_line
from imbsynth.configs import AosTrainConfig, ExperimentConfig
from imbsynth.options import parsed


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"recipe": "strong"},
        {"recipe": "strong", "optimizer": "adam", "lr": 1e-3, "mix": "none"},
        {"recipe": "plain", "augment": "affine", "defer": 0.2, "loss": "ldam"},
    ],
)
def test_a_command_line_makes_the_config_that_it_was_made_from(options: dict[str, Any]) -> None:
    config = AosTrainConfig(src=Path("a b"), out=Path("c.safetensors"), **options)
    program, command, src, *words = shlex.split(command_line(config))
    assert (program, command) == ("imbsynth", "aos-train")
    given = dict(zip(words[::2], words[1::2], strict=True))
    values = parsed(AosTrainConfig, {name.removeprefix("--"): text for name, text in given.items()})
    assert AosTrainConfig(src=Path(src), **values) == config


def test_an_argument_that_is_not_given_takes_no_place() -> None:
    config = ExperimentConfig(on=Path("photos"), out=Path("out"), group_pattern=r"^(\d+)_")
    words = shlex.split(command_line(config))
    assert words == [
        *("imbsynth", "experiment", "--out", "out", "--on", "photos"),
        *("--group-pattern", r"^(\d+)_"),
    ]
