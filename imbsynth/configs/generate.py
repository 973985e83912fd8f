"""The config of `generate`."""

from dataclasses import dataclass
from typing import Annotated

from imbsynth.configs.balancing import Balancing
from imbsynth.configs.shared import SHARDS, Checked, Dst, Linking, Replacing, Src
from imbsynth.configs.synthesis import RESIDUAL, SYNTHESIS
from imbsynth.core.tables import SAMPLERS
from imbsynth.errors import UserError, option
from imbsynth.kinds import SHARE
from imbsynth.options import Option


@dataclass(frozen=True, kw_only=True)
class _Kept(Checked):
    """A command that chooses which images a folder gets."""

    min_probability: Annotated[
        float | None,
        Option(
            "Keep an image only if a classifier that has not seen its heaviest parent gives its "
            "class at least this probability, e.g. 0.3, and if it is no near-copy of a real image; "
            "the next rows of the plan take the place of others.",
            range=SHARE,
            metavar="P",
            unset="all are kept",
            panel=SYNTHESIS,
        ),
    ] = None
    synthetic_only: Annotated[bool, Option("Leave the originals out of DST.")] = False
    shards: Annotated[int | None, SHARDS] = None
    reconstruct_originals: Annotated[
        bool,
        Option(
            "Pass the originals through the autoencoder too, so that blur does not give a class "
            "away."
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class GenerateConfig(Balancing, _Kept, Linking, Replacing):
    """Bring every class up to the largest with synthetic images.

    DST holds the originals, the synthetic images (synthetic-000001.png ...), manifest.jsonl (what
    each is made of), run.json (how), and samples.png: look at it. Copies (--method ros, without a
    checkpoint or another size) are the files themselves, with their suffix.
    """

    src: Src
    dst: Dst

    @property
    def only_copies(self) -> bool:
        """Whether every synthetic image is a copy of an original."""
        is_copy = self.method in SAMPLERS and SAMPLERS[self.method].copies
        return is_copy and self.ae is None and self.generator is None

    def check_together(self) -> None:
        """Images to drop, and an autoencoder for what needs one."""
        super().check_together()
        if self.generator is not None:
            self._check_generator({"min_probability": self.min_probability})
        if self.min_probability is not None and self.only_copies:
            raise UserError(
                f"{option('min_probability')} drops copies, and {option('method')} {self.method} "
                "makes nothing else",
                f"leave {option('min_probability')} out, or choose another {option('method')}",
            )
        if self.shards is not None and self.link != "copy":
            raise UserError(
                f"{option('link')} {self.link} makes links, and {option('shards')} no files",
                f"leave {option('link')} out",
            )
        reconstruct, alone = option("reconstruct_originals"), option("synthetic_only")
        if self.reconstruct_originals and self.ae is None:
            raise UserError(f"{reconstruct} needs an autoencoder", f"give {option('ae')}")
        if self.reconstruct_originals and self.synthetic_only:
            raise UserError(f"{reconstruct} and {alone} exclude each other", "give one of them")
        if self.reconstruct_originals and self.decode == RESIDUAL:
            raise UserError(
                f"{option('decode')} {RESIDUAL} makes images as sharp as the originals, and "
                f"{reconstruct} would blur those",
                f"leave {reconstruct} out, or give {option('decode')} plain",
            )
