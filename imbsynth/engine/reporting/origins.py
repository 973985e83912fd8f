"""The part of a report on how everything was made: commands that make it again, and versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from imbsynth import configs
from imbsynth.command_lines import command_line
from imbsynth.engine.reporting.below import Below, Origin, origin_of
from imbsynth.engine.reporting.parts import Part, named
from imbsynth.errors import UserError
from imbsynth.options import built, command_name, option_fields, parsed
from imbsynth.pages.blocks import Block, Cell, CommandLines, Items, Section, Table, Text
from imbsynth.store.copies import folder_digest
from imbsynth.store.fields import Wrong, mapping
from imbsynth.store.folders import digest_of, is_digest, read_regular
from imbsynth.store.names import listing, number_of
from imbsynth.store.records import read_json
from imbsynth.store.trials import PROTOCOL

# In an order in which the commands can be run: what reads an output comes after what makes it.
ORDER = (
    *("convert", "imbalance", "split", "train-ae", "train-generator", "generate", "audit"),
    *("aos-train", "evaluate", "predict", "experiment", "compare"),
)
CONFIGS = {
    command_name(kind): kind
    for name, kind in vars(configs).items()
    if name.endswith("Config") and command_name(kind) in ORDER
}
TARGETS = ("dst", "out")  # the field that names the output, which no record has
EXPLANATION = (
    "These commands make the outputs again, to the byte with the same images and versions; an "
    "experiment with --time chooses what it does by the speed of the machine. Run them in the "
    "folder {}. Records hold no path above an output: what is not in the folder is given by its "
    "last name alone."
)

MadeOutput = tuple[str, Origin]  # an output's path, and how it was made


def origin_part(below: Below) -> Part | None:
    """How every output was made; None if none says."""
    made = sorted(_made(below), key=lambda one: (_rank(one[1].command), one[0]))
    if not made:
        return None
    inside = all(path != "." for path, _ in made)  # no command makes the folder that it runs in
    top = "" if inside else f"{named(below, '.')}/"
    places = {digest: f"{top}{path}" for digest, path in _places(below).items()}
    lines: list[str] = []
    foreign: list[str] = []
    for path, origin in made:
        line = _line(f"{top}{path}".removesuffix("/."), origin, places)
        lines += [line] if line else []
        foreign += [] if line else [f"{path}: made by {origin.command}, with other options"]
    where = "that this report is on" if inside else "above the one that this report is on"
    blocks: list[Block] = [Text(EXPLANATION.format(where)), CommandLines(lines)] if lines else []
    if foreign:
        blocks += [Text("Made with options that this version does not have:"), Items(foreign)]
    if skipped := [line for path, origin in made for line in _skipped(path, origin)]:
        blocks += [Text("Made without files that cannot be read:"), Items(skipped)]
    return Part(Section("How it was made", [*blocks, *_versions(made)]))


def _made(below: Below) -> Iterator[MadeOutput]:
    for path, output in below.outputs.items():
        yield path, output.origin
    for path, header in below.checkpoints.items():
        origin = below.attempt(path, partial(_made_by, header))
        if origin is not None:
            yield path, origin
    for path in below.experiments:
        found = below.attempt(path, partial(read_json, below.root / path / PROTOCOL))
        asked = (found or {}).get("asked")
        if isinstance(asked, dict):
            yield path, Origin("experiment", asked, {}, {})


def _made_by(header: Mapping[str, Any]) -> Origin:
    return origin_of(mapping(header, "made_by"))


def _rank(command: str) -> int:
    return ORDER.index(command) if command in ORDER else len(ORDER)


def _places(below: Below) -> dict[str, str]:
    """{digest of a folder's images, or of a checkpoint: where it is}."""
    places: dict[str, str] = {}
    for path, output in below.outputs.items():
        if output.origin.command == "split":
            parts = {name: f"{path}/{name}" for name in output.origin.inputs}
            places |= {
                str(output.origin.inputs[name]): place.removeprefix("./")
                for name, place in parts.items()
            }
        elif output.origin.command in ("convert", "imbalance", "generate"):
            images = {p: str(output.record["outputs"][p]) for p in output.files if "/" in p}
            if all(map(is_digest, images.values())):
                places[folder_digest(list(images), list(images.values()))] = path
    for path in below.checkpoints:
        data = below.attempt(path, partial(read_regular, below.root / path))
        places |= {} if data is None else {digest_of(data): path}
    return places


def _line(path: str, origin: Origin, places: Mapping[str, str]) -> str:
    """The command that makes an output; "" if its options are not those of this version."""
    kind = CONFIGS.get(origin.command)
    if kind is None:
        return ""
    known = {f.name for f in option_fields(kind)}
    target = next(name for name in TARGETS if name in known)
    given = {name: value for name, value in origin.config.items() if value is not None}
    given[target] = path
    for name, used in origin.inputs.items():
        digest = origin.left_out[name].whole if name in origin.left_out else used
        if name in given and is_digest(digest) and digest in places:
            given[name] = places[digest]
    try:
        return command_line(built(kind, parsed(kind, given)))
    except (UserError, Wrong):
        return ""


def _skipped(path: str, origin: Origin) -> list[str]:
    """The unreadable files that were left out, a line per input folder."""
    return [
        f"{path}: {number_of(len(files), 'file')} of {name}: {listing(files)}"
        for name, (_, files) in origin.left_out.items()
        if files
    ]


def _versions(made: list[MadeOutput]) -> list[Block]:
    """Of each output, the versions it was made with, if it says so."""
    names = sorted({name for _, origin in made for name in origin.versions})
    names = sorted(names, key=lambda name: name != "imbsynth")
    rows: list[list[Cell]] = [
        [path, origin.command, *(str(origin.versions.get(name, "")) for name in names)]
        for path, origin in made
        if origin.versions
    ]
    header, caption = ["output", "command", *names], "Versions that each output was made with"
    return [Table(caption, header, rows, words=[1])] if rows else []
