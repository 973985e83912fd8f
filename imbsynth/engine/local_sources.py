"""Sources that are no local folder: a command gets one in their place, and names what was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from imbsynth.engine.events import Advanced, Event, Note, OnEvent, Started
from imbsynth.errors import UserError, option
from imbsynth.options import OptionField, option_fields
from imbsynth.store.fetching import SourceFiles, fetched, source_at
from imbsynth.store.file_systems import address_of
from imbsynth.store.outputs import check_outside


class Fetch(NamedTuple):
    """A source of a config that must be brought to a local folder."""

    field: OptionField
    given: Path
    source: SourceFiles

    @property
    def name(self) -> str:
        """As the user has written it."""
        return address_of(self.given) or str(self.given)


def sources_to_fetch(config: Any) -> list[Fetch]:
    """Those of a config; UserError for one that the command cannot take."""
    found = []
    for field, path in _paths(config):
        if field.option.source is not None:
            source = source_at(path)
            found += [] if source is None else [Fetch(field, path, source)]
        elif (address := address_of(path)) is not None:
            raise UserError(
                f"{option(field.name)} {address}: only images can be at an address",
                "give a local path",
            )
    for fetch in found:
        _check(config, fetch)
    return found


def _paths(config: Any) -> list[tuple[OptionField, Path]]:
    found = []
    for field in option_fields(type(config)):
        value = getattr(config, field.name)
        values = value if isinstance(value, tuple) else (value,)
        found += [(field, one) for one in values if isinstance(one, Path)]
    return found


def _check(config: Any, fetch: Fetch) -> None:
    """Raise UserError if it is not given alone, and for outputs that are links or lie in it."""
    given = getattr(config, fetch.field.name)
    if isinstance(given, tuple) and len(given) > 1:
        raise UserError(
            f"{fetch.name}: of several arguments, each must be an image file",
            "give one source; quote a pattern, so that the shell does not expand it",
        )
    link, cache = getattr(config, "link", "copy"), getattr(config, "cache", None)
    makes_no_files = hasattr(config, "sort_into") and config.sort_into is None
    if link != "copy" and not makes_no_files:
        raise UserError(
            f"{option('link')} {link}: {fetch.name} is no local folder, and its images cannot be "
            "linked to",
            f"use {option('link')} copy",
        )
    if fetch.field.option.source == "linked" and cache is None:
        raise UserError(
            f"{fetch.name} is no local folder, and the images must stay for as long as the trials",
            f"have them kept with {option('cache')}, or give a local folder",
        )
    if fetch.given.is_dir():
        for field, path in _paths(config):
            if field.option.source is None and not path.is_file():
                check_outside(path, fetch.given)


@contextmanager
def fetched_sources(
    config: Any, fetches: list[Fetch], on_event: OnEvent
) -> Iterator[tuple[Any, Callable[[str], str]]]:
    """The config with local folders, and what makes texts name the sources that were given."""
    with ExitStack() as stack:
        places: dict[Path, Path] = {}
        words: dict[str, str] = {}
        for fetch in fetches:
            place = stack.enter_context(_fetched(config, fetch, on_event))
            places[fetch.given] = place
            words[str(place)] = fetch.name
        changed: dict[str, Any] = {}
        for name in dict.fromkeys(fetch.field.name for fetch in fetches):
            value = getattr(config, name)
            several = isinstance(value, tuple)
            changed[name] = tuple(places.get(v, v) for v in value) if several else places[value]
        yield replace(config, **changed), partial(_replaced, words)


def _fetched(config: Any, fetch: Fetch, on_event: OnEvent) -> Any:
    """The folder of a source, called like it: records have the last part of its name."""
    source, loose = fetch.source, fetch.field.option.source == "loose"
    total = len(source.shards) + len(source.others)
    on_event(Started(f"fetching {fetch.name}", total, "files"))
    return fetched(
        source,
        os.path.basename(os.path.abspath(fetch.given)) or "images",
        getattr(config, "cache", None),
        loose=loose,
        on_file=lambda done: on_event(Advanced(done)),
    )


def _replaced(words: dict[str, str], text: str) -> str:
    for place, name in words.items():
        text = text.replace(place, name)
    return text


def reworded(value: Any, reword: Callable[[str], str]) -> Any:
    """A report, or a part of it, with other texts."""
    if isinstance(value, str):
        return reword(value)
    if isinstance(value, list):
        return [reworded(item, reword) for item in value]
    if isinstance(value, dict):
        return {key: reworded(item, reword) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: reworded(getattr(value, f.name), reword) for f in fields(value)}
        return replace(value, **parts)
    return value


def with_words(on_event: OnEvent, reword: Callable[[str], str]) -> OnEvent:
    """A listener that hears notes with other texts."""

    def listen(event: Event) -> None:
        on_event(Note(reword(event.text)) if isinstance(event, Note) else event)

    return listen
