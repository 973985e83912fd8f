"""How a field of a config becomes an option: its help, its range, and its value as text.

A config is a frozen dataclass whose fields are `Annotated` with an `Option`:

    epsilon: Annotated[float, Option("Size of a step.", unit="pixel range", range=SHARE)] = 0.02

Everything else is made from that line: the check when a config is made (`check`), the value out of
the text of a command line or a YAML file (`parsed`), the value in a record (`recorded`), the
command line's option and its line in docs/commands.md.
"""

from __future__ import annotations

import inspect
import re
import reprlib
import types
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from imbsynth.errors import UserError, meant
from imbsynth.errors import option as named
from imbsynth.kinds import KINDS, Flag, Kind, Range, Several, Unknown, one_of

C = TypeVar("C")

# A folder of images, or tar shards or an address in its place. "classes": every image has a class;
# "loose": it may have none; "linked": it has one, and outputs link to the files.
SourceKind = Literal["classes", "loose", "linked"]


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, its type and its default."""

    help: str  # a sentence or more
    unit: str = ""  # "pixels"
    range: Range | None = None
    panel: str = "Options"  # the heading under which help shows it
    metavar: str = ""  # stands for the value in help; "" takes the usual one of its type
    unset: str = ""  # what None, the default, comes to: "as many as the largest class has"
    advice: str = ""  # what to do about a wrong value; "" names the form and the range
    choices: Mapping[str, str] = field(default_factory=dict)  # name: a few words of help
    kind: Kind | None = None  # for a type that `KINDS` does not have
    argument: bool = False  # given by its place on the command line, not by its name
    short: str = ""  # "-q"
    old_names: tuple[str, ...] = ()  # still understood, shown nowhere
    source: SourceKind | None = None  # for a path: that images come from there


class OptionField(NamedTuple):
    """A field of a config with its option."""

    name: str
    option: Option
    kind: Kind
    default: Any  # MISSING if there is none
    optional: bool  # whether None is a value

    @property
    def required(self) -> bool:
        """Whether a config cannot be made without it."""
        return self.default is MISSING

    @property
    def metavar(self) -> str:
        """What stands for the value in help."""
        return self.option.metavar or self.kind.metavar

    @property
    def default_text(self) -> str:
        """The default as text; "" for none, and for a flag."""
        if self.required or isinstance(self.kind, Flag):
            return ""
        return self.option.unset if self.default is None and self.option.unset else self.text(None)

    def text(self, value: Any) -> str:
        """A value as a command line has it; None stands for the default."""
        recorded = self.record(self.default if value is None else value)
        return "" if recorded is None else str(recorded)

    def record(self, value: Any) -> Any:
        """A value as JSON has it, except that a path stays a path."""
        return (self.kind.unset or None) if value is None else self.kind.record(value)

    def checked(self, value: Any) -> Any:
        """A Python value as the config holds it; UserError for another type or out of range."""
        return self._checked(value, value, self.kind.form)

    def parse(self, text: str) -> Any:
        """The value of a text; UserError says how it is written."""
        if self.optional and text == self.kind.unset and text:
            return None
        form = self.kind.written or self.kind.form
        try:
            value = self.kind.parse(text)
        except ValueError as error:
            raise self._error(text, form, error) from None
        is_number = isinstance(value, int | float) and not self.kind.written
        return self._checked(value, value if is_number else text, form)

    def _checked(self, value: Any, given: Any, form: str) -> Any:
        """`checked`; given, form: the value as it was given, and its form, for the error."""
        if value is None and self.optional:
            return None
        try:
            accepted = self.kind.accept(value)
        except ValueError as error:
            raise self._error(given, form, error) from None
        if self.option.range is not None and accepted not in self.option.range:
            raise self._error(given, form)
        return accepted

    def read(self, raw: Any) -> Any:
        """The value of what YAML gives: true, a number, a text, or a list of these."""
        if isinstance(self.kind, Several):
            return self.checked(raw)
        flag = isinstance(self.kind, Flag)
        if isinstance(raw, bool) and flag:
            return raw
        items = raw if isinstance(raw, list) else [raw]
        if flag or not all(_is_plain(item) for item in items):
            form = self.kind.written or self.kind.form
            raise self._error(raw, "true or false" if flag else form)
        return self.parse(",".join(map(str, items)))

    def _error(self, value: Any, form: str, why: ValueError | None = None) -> UserError:
        within = "" if self.option.range is None else f" {self.option.range}"
        problem = f"{named(self.name)} is {shown(value)}"
        fix = self.option.advice or f"give {form}{within}"
        if isinstance(why, Unknown):
            problem += "" if why.name == value else f": there is no {shown(why.name)}"
            fix = meant(why.name, why.names) + fix
        return UserError(problem, fix)


_seen: dict[type, tuple[OptionField, ...]] = {}  # what `option_fields` has found


def option_fields(config: type) -> tuple[OptionField, ...]:
    """The fields of a config class: arguments, then its own options, then inherited ones."""
    if config not in _seen:
        _seen[config] = _read_fields(config)
    return _seen[config]


def _read_fields(config: type) -> tuple[OptionField, ...]:
    hints = get_type_hints(config, include_extras=True)
    defaults = {f.name: f.default for f in fields(config)}
    order = dict.fromkeys(
        name for cls in config.__mro__ for name in inspect.get_annotations(cls) if name in defaults
    )
    found = [_option_field(name, hints[name], defaults[name]) for name in order]
    return tuple(sorted(found, key=lambda f: not f.option.argument))


def _option_field(name: str, hint: Any, default: Any) -> OptionField:
    base, *about = get_args(hint)
    union = get_args(base) if get_origin(base) in (Union, types.UnionType) else (base,)
    (option,) = (item for item in about if isinstance(item, Option))
    kinds = [part for part in union if part is not type(None)]
    return OptionField(name, option, _kind(kinds[0], option), default, type(None) in union)


def _kind(hint: Any, option: Option) -> Kind:
    if option.kind is not None:
        return option.kind
    if option.choices:
        return one_of(option.choices)
    return one_of(get_args(hint)) if get_origin(hint) is Literal else KINDS[hint]


def check(config: Any) -> None:
    """Bring every field into its usual form (a path out of a text); UserError for a wrong one."""
    for f in option_fields(type(config)):
        object.__setattr__(config, f.name, f.checked(getattr(config, f.name)))


def parsed(
    config: type, values: Mapping[Any, Any], *, without: Collection[str] = ()
) -> dict[str, Any]:
    """Typed values, by field, out of texts or YAML values by the name of an option or a field.

    UserError for an unknown name (those of `without` count as unknown), one that is given twice,
    and a wrong value.
    """
    known = {f.name: f for f in option_fields(config) if f.name not in without}
    old = old_names(config)
    found: dict[str, Any] = {}
    for key, raw in values.items():
        name = str(key).replace("-", "_") if isinstance(key, str) else ""
        name = old.get(name, name)
        if name not in known:
            raise UserError(
                f"{shown(key)} is no option of {command_name(config)}",
                _about_unknown(name, known, config),
            )
        if name in found:
            raise UserError(f"{named(name)} is given twice", "give it once")
        found[name] = known[name].read(raw)
    return found


def _about_unknown(name: str, known: Collection[str], config: type) -> str:
    """What to do about a name that is not among `known`, the options that can be given."""
    if not known:
        return "leave it out: there are no others than those of every command"
    if any(name == f.name for f in option_fields(config)):
        return "leave it out: it cannot be given here"
    return f"{meant(name, known, named)}`imbsynth {command_name(config)} --help` lists all options"


def built(config: type[C], values: Mapping[str, Any]) -> C:
    """The config of these values; UserError names a field that it needs and that is missing."""
    for f in option_fields(config):
        if f.required and f.name not in values:
            raise UserError(f"{named(f.name)} is missing", f"give {named(f.name)}: {f.option.help}")
    return config(**values)


def recorded(config: Any) -> dict[str, Any]:
    """A config as JSON values by field; paths stay paths, for whoever records them to shorten."""
    return {f.name: f.record(getattr(config, f.name)) for f in option_fields(type(config))}


def recorded_defaults(config: type) -> dict[str, Any]:
    """The defaults of a config class, likewise."""
    return {f.name: f.record(f.default) for f in option_fields(config) if not f.required}


def old_names(config: type) -> dict[str, str]:
    """{name that a field had: its name now}."""
    return {old: f.name for f in option_fields(config) for old in f.option.old_names}


def command_name(config: type) -> str:
    """The command that a config class is for: TrainAeConfig is of train-ae."""
    words: Iterable[str] = re.findall("[A-Z][a-z]*", config.__name__.removesuffix("Config"))
    return "-".join(words).lower()


def shown(value: Any) -> str:
    """A value for a message: short, and whatever its size."""
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, int) and abs(value) >= 2**64:  # Python refuses 4,300 digits as text
        return "a number of more than 19 digits"
    try:
        return reprlib.repr(value)
    except ValueError:  # likewise, inside of a list
        return f"a {type(value).__name__}"


def _is_plain(value: Any) -> bool:
    """Whether YAML gave a text or a number, and not one of more digits than Python writes."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**64
    return isinstance(value, str | float)
