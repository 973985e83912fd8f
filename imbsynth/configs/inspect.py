"""The config of `inspect`."""

from dataclasses import dataclass

from imbsynth.configs.shared import Caching, Src


@dataclass(frozen=True, kw_only=True)
class InspectConfig(Caching):
    """Count classes, and find unreadable files, mixed sizes and images in two classes.

    Changes nothing. Sizes are height x width.
    """

    src: Src
