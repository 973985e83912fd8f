"""Fields of the commands that may make images with a trained generator."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from imbsynth.configs.shared import Checked
from imbsynth.configs.synthesis import SYNTHESIS
from imbsynth.core.tables import GENERATORS
from imbsynth.errors import UserError, option
from imbsynth.kinds import Range
from imbsynth.options import Option

GUIDANCE = 1.0
SAMPLING_STEPS = 8


@dataclass(frozen=True, kw_only=True)
class Generating(Checked):
    """A command that may make images with a checkpoint of `train-generator`."""

    generator: Annotated[
        Path | None,
        Option(
            "Make synthetic images with this checkpoint of train-generator; no method is used.",
            metavar="GEN.safetensors",
            panel=SYNTHESIS,
        ),
    ] = None
    guidance: Annotated[
        float | None,
        Option(
            "How strongly images of a flow generator follow their class: above 1, they are more "
            "typical and less varied, and take twice as long.",
            range=Range(0, 100),
            unset=f"{GUIDANCE:g}",
            panel=SYNTHESIS,
        ),
    ] = None
    sampling_steps: Annotated[
        int | None,
        Option(
            "Steps from noise to an image of a flow generator; each computes the network twice.",
            range=Range(1, 10_000),
            unset=str(SAMPLING_STEPS),
            panel=SYNTHESIS,
        ),
    ] = None

    def check_together(self) -> None:
        """A generator for what is said of one."""
        super().check_together()
        for name in self._given_for_sampling() if self.generator is None else ():
            raise UserError(
                f"{option(name)} is for a generator",
                f"give {option('generator')}, or leave {option(name)} out",
            )

    def sampling_of(self, kind: str) -> Mapping[str, Any]:
        """The options of a kind of generator; UserError if another one is given."""
        given = self._given_for_sampling()
        for name in given.keys() - set(GENERATORS[kind].sampling):
            raise UserError(
                f"{option(name)}: {self.generator} is of the kind {kind}, which has no such option",
                f"leave {option(name)} out",
            )
        return given

    def _given_for_sampling(self) -> dict[str, Any]:
        names = dict.fromkeys(name for entry in GENERATORS.values() for name in entry.sampling)
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}
