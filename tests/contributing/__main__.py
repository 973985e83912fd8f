"""The command line with the examples added to it.

python -m tests.contributing generate photos/train balanced --method random-pairs
"""

from __future__ import annotations

from importlib import import_module
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

    cli.__path__.append(str(HERE / "cli"))
    engine.__path__.append(str(HERE / "engine"))
    for module in map(import_module, ("imbsynth.cli.commands", "imbsynth.cli.app")):
        module.NAMES = (*module.NAMES, "class-weights")  # type: ignore[attr-defined]


if __name__ == "__main__":
    add_methods()
    add_command()
    from imbsynth.cli import main

    main()
