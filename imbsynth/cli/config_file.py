"""Options out of a YAML file, whose keys are the names of options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from imbsynth.errors import UserError
from imbsynth.options import option_fields, parsed

S = TypeVar("S")


def read_options(path: Path, config: type, shown: type[S]) -> tuple[dict[str, Any], S]:
    """The values of a config's fields that a file gives, and what it says about the output.

    UserError names the file, what is wrong in it, and how to fix it.
    """
    found = _read_yaml(path)
    arguments = {f.name for f in option_fields(config) if f.option.argument}
    own = {f.name for f in option_fields(shown)} - {"config"}
    try:
        about_output = parsed(shown, {key: v for key, v in found.items() if key in own})
        values = parsed(config, {k: v for k, v in found.items() if k not in own}, without=arguments)
    except UserError as error:
        raise error.within(str(path)) from None
    return values, shown(**about_output)


def _read_yaml(path: Path) -> dict[Any, Any]:
    from imbsynth.store.plain_yaml import read_values, text_of

    try:
        return read_values(text_of(path))
    except ValueError as error:
        raise UserError(
            f"{path}: cannot be read as YAML options ({error})",
            "write one option per line, like `seed: 1`",
        ) from None
