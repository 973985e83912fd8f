"""YAML as far as lists of options and sizes need it: no tags, no anchors, no key twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from imbsynth.errors import UserError
from imbsynth.store.folders import read_bytes
from imbsynth.store.names import printable

# What yaml lets through, beside its own errors: `!!int no` is a ValueError, `!!bool 1` a KeyError.
_PARSER_ERRORS = (
    *(yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError),
)


class _Values(yaml.SafeLoader):
    """YAML's types, and an error for what it would take in silence."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """An alias may stand for a text of any size (a "billion laughs"), so none is read."""
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"line {line}: aliases (*name) are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Of two lines with one key, yaml takes the last."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key, times in Counter(keys).items() if times > 1]
        if twice:
            raise yaml.YAMLError(f"{str(twice[0])[:80]!r} is there twice")
        return super().construct_mapping(node, deep)


def _numbers_of_today() -> dict[str, list[Any]]:
    """yaml's rules for guessing a type, but for numbers, which are those of YAML 1.2.

    yaml follows YAML 1.1, to which 0202 is 130 (octal), 2:10 is 130 (to the base of 60) and 1_0 is
    10: here these are texts.
    """
    old = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
    rules = {
        first: [(tag, rule) for tag, rule in found if tag not in old]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    whole = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
    broken = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$")
    for first in "-+.0123456789":
        rules.setdefault(first, [])
        rules[first] += [("tag:yaml.org,2002:int", whole), ("tag:yaml.org,2002:float", broken)]
    return rules


_Values.yaml_implicit_resolvers = _numbers_of_today()


class _Texts(_Values):
    """Every value is a text, as it is written: a class may be called 007, no, or 2024-01-01."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


def read_texts(text: str) -> dict[str, Any]:
    """A mapping whose scalars are texts; empty for an empty text; ValueError for anything else."""
    return _mapping(text, _Texts)


def text_of(path: Path) -> str:
    """The text of a file that was named by hand, which may be a pipe, as of `<(...)`.

    Raises UserError if it cannot be read, and ValueError if it is not UTF-8.
    """
    try:
        data = path.read_bytes() if path.is_fifo() else read_bytes(path)
    except OSError as error:
        raise UserError(
            f"{printable(str(path))}: cannot be read ({error.strerror or error})",
            "give the path of a file that can be read",
        ) from None
    return data.decode("utf-8")


def read_values(text: str) -> dict[Any, Any]:
    """Likewise, with numbers, booleans and dates among the values."""
    return _mapping(text, _Values)


def _mapping(text: str, loader: type[_Values]) -> dict[Any, Any]:
    try:
        loaded = yaml.load(text, loader)
    except _PARSER_ERRORS as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not isinstance(loaded or {}, dict):
        raise ValueError("not lines of the form `name: value`")
    return loaded or {}
