"""The methods that `experiment --on` compares: the only place of their names and options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

PLAIN, STRONG, AFFINE, FEATURES = "plain", "strong", " + affine", " + features"


class Contender(NamedTuple):
    """A method of a comparison."""

    train: Mapping[str, Any]  # options of aos-train, by field
    encoded: bool = False  # trained on what `generate` makes with an autoencoder


_STRONG: dict[str, Any] = {"recipe": STRONG}
# AOS balances the classes itself: a balanced loss beside it would count rare ones twice.
_STRONG_AOS = {**_STRONG, "oversample": "aos", "loss": "cross-entropy"}
_FEATURES: dict[str, Any] = {"head_epochs": 10, "head_synthesis": "calibrated"}
_BALANCED = {"copies": "ros", "SMOTE": "smote", "AOS": "aos"}


def _single(suffix: str, augment: str) -> dict[str, Contender]:
    """Plain training and one way of balancing each, all with the same augmentation."""
    plain: dict[str, Any] = {"recipe": PLAIN, "augment": augment}
    return {
        PLAIN + suffix: Contender(plain),
        **{
            name + suffix: Contender({**plain, "oversample": oversample})
            for name, oversample in _BALANCED.items()
        },
        "DeepSMOTE" + suffix: Contender(plain, encoded=True),
    }


_AFFINE = _single(AFFINE, "affine")
CONTENDERS: dict[str, Contender] = {
    **_single("", "none"),
    **_AFFINE,
    "copies" + AFFINE + FEATURES: Contender({**_AFFINE["copies" + AFFINE].train, **_FEATURES}),
    STRONG: Contender(_STRONG),
    "strong + AOS": Contender(_STRONG_AOS),
    "strong + DeepSMOTE": Contender(_STRONG, encoded=True),
    STRONG + FEATURES: Contender({**_STRONG, **_FEATURES}),
}
USUAL = (
    PLAIN,
    "copies",
    PLAIN + AFFINE,
    "copies" + AFFINE,
    "copies" + AFFINE + FEATURES,
    STRONG,
    "strong + AOS",
    "strong + DeepSMOTE",
    STRONG + FEATURES,
)


def base_of(method: str) -> str | None:
    """What a method is compared with: itself without what it adds, or else plain training.

    What is added to "strong" or to "plain + affine" is compared with these, and features with what
    they are added to; None for plain.
    """
    if method.endswith(FEATURES):
        return method.removesuffix(FEATURES)
    if method.startswith(f"{STRONG} + "):
        return STRONG
    if method.endswith(AFFINE) and method != PLAIN + AFFINE:
        return PLAIN + AFFINE
    return None if method == PLAIN else PLAIN


def with_bases(methods: Iterable[str]) -> list[str]:
    """The methods, each after what it is compared with."""
    found: dict[str, None] = {}
    for method in methods:
        chain = [method]
        while (base := base_of(chain[-1])) is not None:
            chain.append(base)
        found |= dict.fromkeys(reversed(chain))
    return list(found)
