"""The command line with the examples added to it.

python -m tests.contributing generate photos/train balanced --method random-pairs
"""

from __future__ import annotations

from pathlib import Path

from imbsynth.core import tables
from tests.contributing import tables as examples

HERE = Path(__file__).parent


def add_methods() -> None:
    """Extend the tables, before the configs read their choices from them."""
    tables.SAMPLERS = {**tables.SAMPLERS, **examples.SAMPLERS}
    tables.LOSSES = {**tables.LOSSES, **examples.LOSSES}
    tables.ATTACKS = {**tables.ATTACKS, **examples.ATTACKS}


def add_command() -> None:
    """Let the command's modules be found by its name, and list it."""
    from imbsynth import cli, engine
    from imbsynth.cli.commands import SUMMARIES

    cli.__path__.append(str(HERE / "cli"))
    engine.__path__.append(str(HERE / "engine"))
    SUMMARIES["class-weights"] = "Count how much weight each class gets."


if __name__ == "__main__":
    add_methods()
    add_command()
    from imbsynth.cli import main

    main()
