"""YAML as far as lists of options and sizes need it: no tags, no anchors, no key twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any

import yaml

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


class _Texts(_Values):
    """Every value is a text, as it is written: a class may be called 007, no, or 2024-01-01."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


def read_texts(text: str) -> dict[str, Any]:
    """A mapping whose scalars are texts; empty for an empty text; ValueError for anything else."""
    return _mapping(text, _Texts)


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
