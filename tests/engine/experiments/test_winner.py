from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imbsynth.cli import app
from imbsynth.cli.experiment_summary import summary
from imbsynth.configs.contenders import CONTENDERS, USUAL, with_bases
from imbsynth.engine import experiment
from imbsynth.engine.inference.classifier import load_classifier
from tests.conftest import MakeFolder
from tests.engine.experiments.written import written


@pytest.mark.parametrize("method", USUAL)
def test_the_last_line_trains_the_winner_on_the_whole_folder(
    make_folder: MakeFolder,
    method: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = with_bases(["copies", method])
    config = written(make_folder, {m: [19 if m == method else 15] * 3 for m in compared})
    summary(experiment.run(config))
    line = capsys.readouterr().out.splitlines()[-1]
    words = shlex.split(line)
    assert words[0] == "imbsynth"
    assert words[1] == ("experiment" if CONTENDERS[method].encoded else "aos-train")
    monkeypatch.chdir(config.out.parent)
    if CONTENDERS[method].encoded:  # its autoencoder takes too long for a test
        result = CliRunner().invoke(app, [*words[1:], "--dry-run"])
        assert result.exit_code == 0, result.output
        assert f"{method} has the highest ACSA" in result.output
        return
    shorter = ["--epochs", "1", "--images-per-epoch", "50"]
    result = CliRunner().invoke(app, [*words[1:], *shorter])
    assert result.exit_code == 0, result.output
    assert load_classifier(Path("winner.safetensors")).counts == {"a": 48, "b": 48}
