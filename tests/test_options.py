"""An option is written once; what it is as text, in Python and in a record says the same."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imbsynth
from imbsynth import configs
from imbsynth.command_lines import flag
from imbsynth.configs import (
    AosTrainConfig,
    CompareConfig,
    ConvertConfig,
    EvaluateConfig,
    ExperimentConfig,
    ExportConfig,
    FidConfig,
    GenerateConfig,
    ImbalanceConfig,
    InspectConfig,
    PredictConfig,
    ReportConfig,
    SplitConfig,
    TrainAeConfig,
    TrainGeneratorConfig,
)
from imbsynth.errors import UserError
from imbsynth.kinds import PART, SHARE, Range
from imbsynth.options import (
    OptionField,
    built,
    command_name,
    old_names,
    option_fields,
    parsed,
    recorded,
    recorded_defaults,
)

SOURCE = Path(imbsynth.__file__).parent
CONFIGS = [
    InspectConfig, ImbalanceConfig, SplitConfig, TrainAeConfig, GenerateConfig, AosTrainConfig,
    EvaluateConfig, PredictConfig, ExportConfig, ExperimentConfig, CompareConfig, FidConfig,
    ConvertConfig, ReportConfig, TrainGeneratorConfig,
]  # fmt: skip
HERE = Path()
GENERATE: dict[str, Any] = {"src": HERE, "dst": HERE}
TRAIN: dict[str, Any] = {"src": HERE, "out": Path("clf.safetensors")}


def field_of(config: type, name: str) -> OptionField:
    return next(f for f in option_fields(config) if f.name == name)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_field_is_an_option_with_help(config: type) -> None:
    found = option_fields(config)
    assert {f.name for f in found} == {f.name for f in fields(config)}
    for f in found:
        assert f.option.help[0].isupper()
        assert f.option.help.endswith((".", "?")), f.option.help
        assert not re.search(r"(^| )--", f.option.help), "the command line spells options, not help"
        assert f.option.metavar or not f.option.argument


def test_an_option_is_written_in_one_place() -> None:
    """Outside of the configs, no option of a command is declared, on the command line or else."""
    own = {f.name for config in CONFIGS for f in option_fields(config)}
    rest = [
        path
        for path in SOURCE.rglob("*.py")
        if "configs" not in path.parts and path.name != "options.py"
    ]
    for path in rest:
        source = path.read_text()
        declared = re.findall(r"^    (\w+): .*(?:Annotated\[|typer\.Option)", source, re.MULTILINE)
        assert not own & set(declared), path
    for name in own:
        help_texts = {field_of(c, name).option.help for c in CONFIGS if name in c.__annotations__}
        source = "".join(path.read_text() for path in (SOURCE / "configs").glob("*.py"))
        for text in help_texts:
            assert source.count(text[:40]) <= 1, text


@pytest.mark.parametrize("config", CONFIGS)
def test_defaults_pass_their_own_checks_and_survive_as_text(config: type) -> None:
    for f in option_fields(config):
        if not f.required:
            assert f.checked(f.default) == f.default
            if f.text(None) and f.default is not False:
                assert f.parse(f.text(None)) == f.default


sides = st.integers(1, 9999)
VALUES = {
    (GenerateConfig, "image_size"): st.none() | st.tuples(sides, sides),
    (GenerateConfig, "k_neighbors"): st.integers(1, 10_000),
    (GenerateConfig, "method"): st.sampled_from(["smote", "ros"]),
    (GenerateConfig, "lambda_range"): st.tuples(st.floats(0, 1), st.floats(0, 1)).map(
        lambda ends: (min(ends), max(ends))
    ),
    (TrainAeConfig, "channels"): st.sampled_from([None, 1, 3]),
    (TrainAeConfig, "lr"): st.floats(0, 1, exclude_min=True, exclude_max=True),
    (SplitConfig, "fractions"): st.lists(
        st.floats(0, 1, exclude_min=True, exclude_max=True), min_size=2, max_size=3
    ).map(tuple),
    (ImbalanceConfig, "counts"): st.lists(st.integers(0, 10**9), min_size=1).map(tuple),
    (ImbalanceConfig, "ratio"): st.floats(1, allow_infinity=False),
    (ExperimentConfig, "shard"): st.tuples(sides, sides).map(lambda s: (min(s), max(s))),
    (FidConfig, "device"): st.sampled_from(["auto", "cpu", "cuda", "cuda:3"]),
}


@given(data=st.data(), which=st.sampled_from(list(VALUES)))
def test_a_recorded_value_is_read_back(data: st.DataObject, which: tuple[type, str]) -> None:
    found, value = field_of(*which), data.draw(VALUES[which])
    assert found.checked(value) == value
    assert found.parse(str(found.record(value))) == value
    assert found.read(found.record(value)) == value  # as YAML has it


odd: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
)
odd |= st.lists(odd) | st.dictionaries(st.text(), st.integers())


def _assert_names(error: UserError, name: str) -> None:
    assert name in error.problem
    assert len(str(error).splitlines()) == 2


@given(value=odd, config=st.sampled_from(CONFIGS), data=st.data())
def test_any_value_is_accepted_or_refused_by_name(
    value: Any, config: type, data: st.DataObject
) -> None:
    found = data.draw(st.sampled_from(option_fields(config)))
    for take in (found.checked, found.read):
        try:
            accepted = take(value)
        except UserError as error:
            _assert_names(error, found.name)
        else:
            assert found.checked(accepted) == accepted


@pytest.mark.parametrize(("text", "size"), [("auto", None), ("32", (32, 32)), ("28x40", (28, 40))])
def test_sizes_are_height_by_width(text: str, size: tuple[int, int] | None) -> None:
    assert field_of(GenerateConfig, "image_size").parse(text) == size


@pytest.mark.parametrize("text", ["", "x", "28x", "-3", "0", "2.5", "28x0", "999999", "99999x9999"])
def test_a_wrong_size_says_how_to_write_it(text: str) -> None:
    with pytest.raises(UserError, match="image_size is"):
        field_of(GenerateConfig, "image_size").parse(text)


def test_python_values_take_their_usual_form() -> None:
    config = GenerateConfig(src="photos", dst="out", image_size=32)  # type: ignore[arg-type]
    assert (config.src, config.dst, config.image_size) == (Path("photos"), Path("out"), (32, 32))
    values: dict[str, Any] = {**GENERATE, "image_size": [28, 40]}
    assert GenerateConfig(**values).image_size == (28, 40)
    by_class = ImbalanceConfig(src=HERE, dst=HERE, counts={"cat": 3, "dog": 1})
    assert by_class.counts == {"cat": 3, "dog": 1}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"k_neighbors": "5"}, "k_neighbors is '5'\n  fix: give a whole number from 1 to 10000"),
        ({"k_neighbors": 5.0}, "k_neighbors is 5"),
        ({"k_neighbors": True}, "k_neighbors is True"),
        ({"k_neighbors": 10**5000}, "more than 19 digits"),
        ({"image_size": "28x28"}, "image_size is '28x28'\n  fix: give .height, width"),
        ({"synthetic_only": 1}, "synthetic_only is 1"),
        (
            {"method": "smot"},
            r"'smot'\n  fix: did you mean smote\? If not, give one of smote, transfer, amdo",
        ),
        ({"link": "soft"}, "link is 'soft'\n  fix: give one of copy, hard, symbolic"),
        ({"src": 3}, "src is 3"),
        ({"seed": None}, "seed is None"),
        ({"device": "gpu"}, "device is 'gpu'\n  fix: give auto, cpu, cuda or cuda:N"),
    ],
)
def test_a_wrong_python_value_names_its_field(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named) as caught:
        GenerateConfig(**{**GENERATE, **options})
    assert "--" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"), [("memory", "\u06650%"), ("memory", "1\u212ab"), ("device", "cuda:\u0663")]
)
def test_digits_and_units_of_other_scripts_are_refused(name: str, text: str) -> None:
    """Python takes them for numbers and letters; what uses the text later need not."""
    with pytest.raises(UserError, match=f"{name} is "):
        field_of(AosTrainConfig, name).parse(text)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 1.5, float("nan"), float("inf")])
def test_a_number_out_of_range_names_the_range(epsilon: float) -> None:
    with pytest.raises(UserError, match=r"give a number in \(0, 1\]"):
        AosTrainConfig(**TRAIN, epsilon=epsilon)
    with pytest.raises(UserError) as caught:
        AosTrainConfig(**TRAIN, epsilon=epsilon)
    assert "--epsilon is" in caught.value.shown(flag)


@pytest.mark.parametrize(
    ("config", "name", "text", "advice"),
    [
        (ExperimentConfig, "shard", "3/2", "e.g. 2/8"),
        (ExperimentConfig, "time", "0s", "90s, 30m or 2h"),
        (GenerateConfig, "lambda_range", "2,1", "e.g. 0,0.5"),
    ],
)
def test_a_text_that_is_out_of_range_is_shown_as_it_was_given(
    config: type, name: str, text: str, advice: str
) -> None:
    with pytest.raises(UserError) as caught:
        field_of(config, name).parse(text)
    assert f"{name} is '{text}'" in str(caught.value)
    assert str(caught.value).endswith(advice)


def test_ranges_by_hand() -> None:
    nan, inf = float("nan"), float("inf")
    assert [x in SHARE for x in (0, 0.5, 1, nan)] == [False, True, True, False]
    assert [x in PART for x in (0, 0.5, 1, nan)] == [False, True, False, False]
    assert [x in Range(1) for x in (0, 1, 1e300, inf, nan)] == [False, True, True, False, False]
    assert [x in Range(1, 3) for x in (0, 1, 3, 4)] == [False, True, True, False]
    assert [str(r) for r in (SHARE, Range(2), Range(1, 9))] == [
        "in (0, 1]",
        "of 2 or more",
        "from 1 to 9",
    ]


def test_values_of_a_file_by_either_spelling_and_by_an_old_name() -> None:
    raw = {"k-neighbors": 3, "image_size": 28, "synthetic-only": True, "to": "5"}
    assert parsed(GenerateConfig, raw) == {
        "k_neighbors": 3, "image_size": (28, 28), "synthetic_only": True, "to": 5,
    }  # fmt: skip
    assert parsed(GenerateConfig, {"neighbours": 3}) == {"k_neighbors": 3}
    assert parsed(ImbalanceConfig, {"counts": [4, 3, 2]}) == {"counts": (4, 3, 2)}
    assert parsed(AosTrainConfig, {"lr": "1e-3"}) == {"lr": 1e-3}
    assert old_names(GenerateConfig) == {"neighbours": "k_neighbors"}


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"batch-size": 3, "batch_size": 4}, "batch_size is given twice"),
        ({"neighbours": 3, "k_neighbors": 4}, "k_neighbors is given twice"),
        ({"colour": 1}, "'colour' is no option of generate\n  fix: `imbsynth generate --help`"),
        ({"k-neighbor": 1}, r"fix: did you mean k_neighbors\? If not, `imbsynth generate --help`"),
        ({"method": "smoet"}, r"'smoet'\n  fix: did you mean smote\? If not, give one of"),
        ({"seed": 1}, "'seed' is no option of generate\n  fix: leave it out: it cannot"),
        ({7: 1}, "7 is no option"),
        ({"to": True}, "to is True"),
        ({"to": 2.5}, "to is '2.5'"),
        ({"to": None}, "to is None"),
        ({"to": {"a": 1}}, "to is {'a': 1}"),
        ({"to": 16**9000}, "to is a number of more than 19 digits"),
        ({"synthetic-only": "yes"}, "synthetic_only is 'yes'\n  fix: give true or false"),
    ],
)
def test_a_wrong_value_of_a_file_is_named(raw: dict[Any, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        parsed(GenerateConfig, raw, without={"seed"})


@pytest.mark.parametrize(
    ("methods", "problem"),
    [
        ("plain,stong", r"'plain,stong': there is no 'stong'\n  fix: did you mean strong"),
        (["copies", "aos"], r": there is no 'aos'\n  fix: did you mean AOS\? If not, give some of"),
        ("plain,everything", "there is no 'everything'\n  fix: give some of plain, copies, "),
        ("plain,plain", "methods is 'plain,plain'\n  fix: give some of .*, each once"),
        ("", "methods is ''\n  fix: give some of"),
    ],
)
def test_the_wrong_one_of_several_names_is_named(methods: Any, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        parsed(ExperimentConfig, {"methods": methods})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(UserError, match="dst is missing"):
        built(GenerateConfig, {"src": HERE})


def test_records_have_the_texts_of_the_command_line() -> None:
    record = recorded(GenerateConfig(**GENERATE, image_size=(28, 28)))
    assert (record["image_size"], record["to"], record["method"]) == ("28", None, "smote")
    assert recorded(GenerateConfig(**GENERATE, image_size=(28, 40)))["image_size"] == "28x40"
    train = recorded_defaults(AosTrainConfig)
    assert (train["image_size"], train["channels"], train["epsilon"]) == ("auto", "auto", 0.02)
    assert recorded(SplitConfig(**GENERATE, fractions=(0.8, 0.2)))["fractions"] == "0.8,0.2"
    assert recorded_defaults(SplitConfig)["fractions"] is None


def test_a_config_is_named_after_its_command() -> None:
    assert [command_name(config) for config in CONFIGS[3:6]] == [
        "train-ae",
        "generate",
        "aos-train",
    ]


def test_every_config_is_exported() -> None:
    assert {config.__name__ for config in CONFIGS} <= set(configs.__all__)
