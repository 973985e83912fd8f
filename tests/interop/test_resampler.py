from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import parametrize_with_checks
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import imbsynth
from imbsynth import ImageOverSampler
from imbsynth.core.tables import SAMPLERS
from imbsynth.store.images import ImageForm, read_images
from tests.conftest import MakeFolder

# What does not fit images: no other check is left out. Those with data frames need pandas.
UNFIT = {"check_samplers_pandas_sparse": "images are dense"}
# A list, as pytest wants it: imbalanced-learn gives a generator.
CHECKS = list(
    parametrize_with_checks(
        [ImageOverSampler(name, random_state=0) for name in SAMPLERS],
        expected_failed_checks=lambda _: UNFIT,
    ).args[1]
)


def images(*shape: int, dtype: Any = np.uint8) -> tuple[Any, Any]:
    """12 random images, 7 of class "a", 3 of "b" and 2 of "c"."""
    X = np.random.default_rng(0).integers(0, 256, (12, *shape))
    return X.astype(dtype), np.array(["a"] * 7 + ["b"] * 3 + ["c"] * 2)


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_imbalanced_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 1), (20,)])
@pytest.mark.parametrize("method", list(SAMPLERS))
def test_images_keep_shape_and_type(method: str, shape: tuple[int, ...]) -> None:
    X, y = images(*shape)
    found, labels = ImageOverSampler(method, random_state=0).fit_resample(X, y)
    assert found.dtype == np.uint8
    assert found.shape == (21, *shape)
    assert np.array_equal(found[:12], X)
    assert labels.tolist() == [*y, *"bbbbccccc"]


def test_they_are_the_images_of_a_folder_that_generate_would_write(
    make_folder: MakeFolder, tmp_path: Path
) -> None:
    src = make_folder({"common": 9, "few": 4, "rare": 3}, mode="RGB")
    imbsynth.generate(src=src, dst=tmp_path / "dst", seed=5, device="cpu")
    paths = [
        sorted(p.relative_to(tmp_path / "dst").as_posix() for p in own.glob("*"))
        for own in sorted((tmp_path / "dst").iterdir())
        if own.is_dir()
    ]
    real = [path for own in paths for path in own if "synthetic" not in path]
    made = [path for own in paths for path in own if "synthetic" in path]

    def read(names: list[str]) -> Any:
        pixels = read_images(tmp_path / "dst", names, ImageForm(channels=3)).pixels[:]
        return pixels.transpose(0, 2, 3, 1)

    found, _ = ImageOverSampler(random_state=5).fit_resample(
        read(real), [path.split("/")[0] for path in real]
    )
    assert np.array_equal(np.asarray(found)[len(real) :], read(made))


def test_copies_say_which_images_they_show() -> None:
    X, y = images(5, 4)
    sampler = ImageOverSampler("ros", random_state=0)
    found, labels = sampler.fit_resample(X, y)
    assert np.array_equal(found, X[sampler.sample_indices_])
    assert np.array_equal(labels, y[sampler.sample_indices_])


@pytest.mark.parametrize(
    ("strategy", "added"),
    [("auto", {"b": 4, "c": 5}), ("minority", {"c": 5}), ({"b": 5}, {"b": 2})],
)
def test_the_sampling_strategy_is_that_of_imbalanced_learn(strategy: Any, added: Any) -> None:
    sampler = ImageOverSampler(sampling_strategy=strategy, random_state=0)
    _, labels = sampler.fit_resample(*images(5, 4))
    assert sampler.sampling_strategy_ == added
    assert {k: int((labels[12:] == k).sum()) for k in added} == added


def test_the_random_state_decides_and_classes_do_not_depend_on_each_other() -> None:
    X, y = images(5, 4)

    def made(of: Any, **parameters: Any) -> Any:
        found, labels = ImageOverSampler(**parameters).fit_resample(X, y)
        return found[12:][labels[12:] == of]

    alone = made("b", random_state=1, sampling_strategy={"b": 7})
    assert np.array_equal(made("b", random_state=1), alone)
    assert not np.array_equal(made("b", random_state=2), alone)
    state = np.random.RandomState(3)
    assert not np.array_equal(made("b", random_state=state), made("b", random_state=state))


def test_floats_are_neither_rounded_nor_clipped() -> None:
    X, y = images(5, 4, dtype=np.float32)
    found, _ = ImageOverSampler(random_state=0).fit_resample(X * 10, y)
    assert found.dtype == np.float32
    assert found[12:].max() > 1000
    assert (found[12:] % 1).any()


def test_parameters_are_read_set_and_cloned() -> None:
    sampler = ImageOverSampler("transfer", options={"strength": 0.5})
    assert clone(sampler).set_params(method="ccr").get_params() == {
        "method": "ccr",
        "options": {"strength": 0.5},
        "sampling_strategy": "auto",
        "random_state": None,
    }


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"method": "nothing"}, "'method' parameter"),
        ({"options": {"strength": 1.0}}, "smote has no option strength"),
        ({"options": {"k_neighbors": 0}}, "k_neighbors is 0"),
    ],
)
def test_a_wrong_parameter_is_a_value_error(parameters: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ImageOverSampler(**parameters).fit_resample(*images(5, 4))


def test_whole_numbers_other_than_8_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="X is int32: give uint8 images, or floats"):
        ImageOverSampler().fit_resample(*images(5, 4, dtype=np.int32))


def test_it_stands_in_a_pipeline_between_other_steps() -> None:
    X, y = images(5, 4)
    flat = FunctionTransformer(lambda found: found.reshape(len(found), -1) / 255)
    pipeline = make_pipeline(ImageOverSampler(random_state=0), flat, PCA(3), LogisticRegression())
    assert pipeline.fit(X, y).predict(X).shape == (12,)


def test_without_imbalanced_learn_the_way_to_install_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "imblearn.over_sampling.base", None)
    monkeypatch.delitem(sys.modules, "imbsynth.interop.resampler")
    with pytest.raises(ImportError, match=r"pip install imbsynth\[imblearn\]"):
        import_module("imbsynth.interop.resampler")
