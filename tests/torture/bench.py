"""What the bench shares: how much to try, commands run in this process, and what must hold."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from imbsynth.cli import app

SCALE = float(os.environ.get("IMBSYNTH_TORTURE", 0))  # 1 in `make torture`, 0 in `make test`
FULL = SCALE > 0
SECONDS = 120  # after which a command counts as hanging; these take less than one


def scaled(short: int, full: int) -> int:
    """How many inputs to try: few in `make test`, all in `make torture`, or a part of these."""
    return max(short, round(full * SCALE))


Told = Callable[[int, str], None]  # says how many of what were tried


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@contextmanager
def bounded(seconds: int = SECONDS) -> Iterator[None]:
    """Raise TimeoutError in what hangs, a blocked system call included."""

    def expire(_number: int, _frame: object) -> None:
        raise TimeoutError(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def invoke(*arguments: object) -> Outcome:
    """Run a command line; whatever it raises but the end of a program is a failure."""
    with bounded():
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in (0, 2), result.stderr
    assert "Traceback" not in result.stderr
    if result.exit_code == 2:
        assert result.stdout == ""
        assert "fix:" in result.stderr or "Usage:" in result.stderr, result.stderr
    return Outcome(result.exit_code, result.stdout, result.stderr)


Arguments = Callable[[Path, Path], list[object]]

# Every command that reads a folder of images: its arguments, from the folder and an empty place
# for what it writes. {ae} and {clf} are checkpoints of 8x8 colour images, classes odd and plain.
READERS: dict[str, Arguments] = {
    "inspect": lambda src, out: ["inspect", src, "--json"],
    "imbalance": lambda src, out: [
        "imbalance", src, out / "im", "--ratio", 1, "--minority-fraction", 0,
    ],
    "split": lambda src, out: ["split", src, out / "parts", "--fractions", "0.5,0.5"],
    "train-ae": lambda src, out: [
        "train-ae", src, "--out", out / "ae.safetensors", "--image-size", 8, "--epochs", 1,
        "--latent-dim", 4, "--device", "cpu",
    ],
    "fid": lambda src, out: ["fid", src, src, "--features", "pixels", "--image-size", 8],
    "generate": lambda src, out: ["generate", src, out / "made", "--image-size", 8, "--to", 8],
    "generate --ae": lambda src, out: [
        "generate", src, out / "made", "--ae", "{ae}", "--to", 8, "--device", "cpu",
    ],
    "aos-train": lambda src, out: [
        "aos-train", src, "--out", out / "clf.safetensors", "--image-size", 8, "--epochs", 1,
        "--device", "cpu",
    ],
    "evaluate": lambda src, out: [
        "evaluate", "{clf}", src, "--out", out / "scores", "--draws", 100, "--device", "cpu",
    ],
}  # fmt: skip
# Those that copy files and look at no pixel: they take whatever has an image's name.
COPIERS = ("imbalance", "split")


def command(name: str, src: Path, out: Path, checkpoints: dict[str, Path]) -> list[str]:
    """The command line of a reader."""
    texts = [str(argument) for argument in READERS[name](src, out)]
    return [str(checkpoints.get(text.strip("{}"), text)) for text in texts]


def everything_below(root: Path) -> dict[str, bytes]:
    """What stands below a folder, links and pipes included, names as bytes."""
    found = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in folders + files:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, os.fsencode(root)).decode("latin-1")
            if os.path.islink(path):
                found[key] = b"link to " + os.readlink(path)
            elif os.path.isfile(path) and os.access(path, os.R_OK, effective_ids=True):
                found[key] = Path(os.fsdecode(path)).read_bytes()
            else:
                found[key] = b"folder, pipe or closed"
    return found
