"""Options that several commands share, each named once.

Where commands are declared, nothing is imported from __future__: Typer would evaluate each of some
hundred annotations three times, as text, at every start.
"""

import reprlib
from pathlib import Path
from typing import Annotated, Any

import typer

from imbsynth.configs import Channels, Link, Precision
from imbsynth.errors import UserError


def _load_config(ctx: Any, path: Path | None) -> Path | None:
    """Take defaults from a YAML file whose keys are option names; the command line wins."""
    if path is None or ctx.resilient_parsing:
        return path
    options = {
        name.removeprefix("--"): param.name
        for param in ctx.command.params
        for name in [*param.opts, *param.secondary_opts]
        if name.startswith("--") and param.name not in ("config", "help")
    }
    flags = {param.name for param in ctx.command.params if getattr(param, "is_flag", False)}
    values = {}
    for key, value in _read_yaml(path).items():
        name = (key if isinstance(key, str) else _short(key)).replace("_", "-")
        if name not in options:
            raise UserError(
                f"{path}: {_short(key)} is no option of {ctx.command.name}",
                f"its options are {', '.join(sorted(options))}",
            )
        if isinstance(value, bool) and options[name] not in flags:
            raise UserError(f"{path}: {name} is {value}", "give a number or a text")
        values[options[name]] = _as_option(path, name, value)
    ctx.default_map = values
    return path


def _read_yaml(path: Path) -> dict[Any, Any]:
    from imbsynth.store.plain_yaml import read_values

    try:
        return read_values(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read as YAML options ({error})",
            "write one line an option, like `seed: 1`",
        ) from None


def _as_option(path: Path, name: str, value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, int | float | str) for item in value):
        return ",".join(str(_as_option(path, name, item)) for item in value)
    if isinstance(value, bool):
        return value
    if isinstance(value, float | str) or (isinstance(value, int) and abs(value) < 2**64):
        return str(value)
    raise UserError(
        f"{path}: {name} is {_short(value)}", "give a number, a text, true, false, or a list"
    )


def _short(value: Any) -> str:
    """A value for a message; Python gives no whole number of more than 4,300 digits as text."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"


Src = Annotated[
    Path,
    typer.Argument(
        metavar="SRC", help="Folder with one sub-folder of images per class.", show_default=False
    ),
]
Dst = Annotated[Path, typer.Argument(metavar="DST", help="Folder to make.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.", rich_help_panel="Run")]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|cuda:N",
        help="Where to compute; auto takes CUDA when present.",
        rich_help_panel="Run",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as one JSON object on stdout.", rich_help_panel="Run"
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notes.", rich_help_panel="Run")
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on where an interrupted run stopped; begin if there is none.",
        rich_help_panel="Run",
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace an existing output of imbsynth.", rich_help_panel="Run"),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.yaml",
        help="Read options from a YAML file; the command line wins.",
        is_eager=True,
        callback=_load_config,
        show_default=False,
        rich_help_panel="Run",
    ),
]
SkipUnreadable = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable", help="Leave out files that cannot be decoded, and record them."
    ),
]
ImageSize = Annotated[
    str,
    typer.Option(
        metavar="auto|N|HxW",
        help="Height x width in pixels to resize to; auto takes the one size that all images have.",
    ),
]
ChannelsOption = Annotated[
    Channels, typer.Option(help="Gray or colour; auto is gray if all images are.")
]
LinkOption = Annotated[
    Link,
    typer.Option(metavar="HOW", help="How files get into DST: copy, hard or symbolic (links)."),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        metavar="KIND",
        help="Arithmetic of the network: auto, fp32 or bf16; auto takes bf16 where the hardware "
        "multiplies in it.",
    ),
]
