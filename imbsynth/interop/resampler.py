"""The samplers of `generate` on pixels, as a sampler of imbalanced-learn for arrays of images."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from torch import Tensor

from imbsynth.configs import Synthesis
from imbsynth.core.batches import Indices, images_at_once
from imbsynth.core.pixels import to_bytes, to_unit
from imbsynth.core.tables import SAMPLERS
from imbsynth.engine.sources.interpolation import Interpolation
from imbsynth.engine.sources.rendering import render
from imbsynth.errors import UserError

try:
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.utils import check_target_type
    from sklearn_compat.utils.validation import validate_data
except ModuleNotFoundError as error:
    raise ImportError(
        "imbsynth.ImageOverSampler needs imbalanced-learn: pip install imbsynth[imblearn]"
    ) from error

MOST_ROWS, MOST_VALUES = 500, 1 << 24  # of points that are computed at once


class ImageOverSampler(BaseOverSampler):  # type: ignore[misc]  # imbalanced-learn has no types
    """Adds synthetic images to the smaller classes of an array.

    X is (n, h, w), (n, h, w, c), or (n, d) with flattened images: uint8, or floats of any range. Of
    uint8 images the synthetic ones are uint8 too, rounded as `generate` rounds them; floats are
    neither rounded nor clipped. y is (n,), labels of any type that imbalanced-learn takes.

    method: a name of `imbsynth generate --method` that is a sampler: smote, transfer, amdo, ccr,
    rbo or ros. options: those of the method by name, e.g. {"k_neighbors": 3}. sampling_strategy and
    random_state: as in imbalanced-learn. Every class has a random stream of its own, named by its
    label: other classes do not change what is drawn for it.

    After `fit_resample`, `sampling_strategy_` says how many images each class got. Where all are
    copies (ros), `sample_indices_` (m,) has the row of X that each row of the result shows.
    """

    _parameter_constraints = {  # noqa: RUF012  # as imbalanced-learn declares it
        **BaseOverSampler._parameter_constraints,
        "method": [StrOptions(set(SAMPLERS))],
        "options": [Mapping, None],
    }

    def __init__(
        self,
        method: str = "smote",
        *,
        options: Mapping[str, Any] | None = None,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.method, self.options, self.random_state = method, options, random_state

    def _check_X_y(self, X: Any, y: Any) -> tuple[Any, Any, bool]:
        """The checked arrays; ValueError for other shapes or types."""
        y, one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(self, X=X, y=y, reset=True, allow_nd=True)
        if X.dtype != np.uint8 and X.dtype.kind != "f":
            raise ValueError(f"X is {X.dtype}: give uint8 images, or floats")
        return X, y, one_vs_all

    def _fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        classes = np.unique(y)
        space = _Arrays(X, [np.flatnonzero(y == label) for label in classes])
        source = Interpolation(
            self.method,
            space,
            [str(label) for label in classes],
            options=self._checked_options(),
            seed=self._seed(),
        )
        added = [self.sampling_strategy_.get(label, 0) for label in classes.tolist()]
        batches = list(render(source, added))
        if SAMPLERS[self.method].copies:
            drawn = [batch.plan.parents[:, 0] for batch in batches]
            self.sample_indices_ = np.concatenate([np.arange(len(X)), *drawn])
        made = [batch.pixels for batch in batches]
        return np.concatenate([X, *made]), np.concatenate([y, np.repeat(classes, added)])

    def _checked_options(self) -> Synthesis:
        """The options with their defaults; ValueError for a wrong one."""
        given, known = dict(self.options or {}), SAMPLERS[self.method].options
        strange = sorted(map(str, given.keys() - set(known)))
        if strange:
            raise ValueError(f"{self.method} has no option {strange[0]}: its options are {known}")
        try:
            return Synthesis(**given)
        except UserError as error:
            raise ValueError(str(error)) from None

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _more_tags(self) -> dict[str, Any]:
        return {
            "X_types": ["2darray", "3darray", "dataframe"],
            "sample_indices": SAMPLERS[self.method].copies,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array, tags.input_tags.sparse = True, False
        tags.sampler_tags.sample_indices = SAMPLERS[self.method].copies
        return tags


class _Arrays:
    """The rows of an array as points: uint8 in the [0, 1] unit, floats as they are."""

    name = "array"

    def __init__(self, rows: NDArray[Any], members: list[Indices]) -> None:
        self._rows, self.members = torch.from_numpy(np.ascontiguousarray(rows)), members
        self.rows_at_once = images_at_once(self._rows.shape[1:], MOST_ROWS, MOST_VALUES)

    def points(self, label: int) -> Tensor:
        return self._rows[torch.from_numpy(self.members[label])]

    def points_of(self, images: Indices) -> Tensor:
        found = self._rows[torch.from_numpy(images)]
        return found if found.is_floating_point() else to_unit(found)

    def images(self, points: Tensor, _base: Indices) -> Tensor:
        return points if self._rows.is_floating_point() else to_bytes(points)
