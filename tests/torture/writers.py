"""Every command that writes: how it is called, and what stands there when it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.conftest import draw_image


class Writer(NamedTuple):
    """A command, by its arguments from the folder of images and an empty place for its output."""

    arguments: Callable[[Path, Path, dict[str, Path]], list[object]]
    target: str  # what it writes first of all, in that place
    trains: bool = False


_TRAINING: list[object] = ["--epochs", 3, "--device", "cpu", "--precision", "fp32"]

WRITERS: dict[str, Writer] = {
    "imbalance": Writer(
        lambda src, out, _: ["imbalance", src, out / "im", "--profile", "step", "--ratio", 2], "im"
    ),
    "split": Writer(lambda src, out, _: ["split", src, out / "parts", "--folds", 3], "parts"),
    "generate": Writer(lambda src, out, _: ["generate", src, out / "made", "--to", 60], "made"),
    "evaluate": Writer(
        lambda src, out, made: [
            "evaluate", made["clf"], src, "--out", out / "scores", "--draws", 200,
        ],
        "scores",
    ),
    "compare": Writer(
        lambda _, out, made: ["compare", made["scores"], "--out", out / "tables"], "tables"
    ),
    "fid": Writer(
        lambda src, out, _: ["fid", src, src, "--features", "pixels", "--plot", out / "fid.png"],
        "fid.png",
    ),
    "train-ae": Writer(
        lambda src, out, _: [
            "train-ae", src, "--out", out / "ae.safetensors", "--latent-dim", 4,
            "--batch-size", 4, *_TRAINING,
        ],
        "ae.safetensors",
        trains=True,
    ),
    "train-generator": Writer(
        lambda src, out, _: [
            "train-generator", src, "--kind", "bagan", "--out", out / "gen.safetensors",
            "--latent-dim", 4, "--batch-size", 4, "--pretrain-epochs", 1, *_TRAINING,
        ],
        "gen.safetensors",
        trains=True,
    ),
    "aos-train": Writer(
        lambda src, out, _: [
            "aos-train", src, "--out", out / "clf.safetensors", "--batch-size", 4, *_TRAINING,
        ],
        "clf.safetensors",
        trains=True,
    ),
}  # fmt: skip


def images_below(root: Path) -> Path:
    """A folder with the classes of `checkpoints`, small enough to be written in no time."""
    for label, (name, count) in enumerate({"odd": 6, "plain": 12}.items()):
        (root / name).mkdir(parents=True)
        for i in range(count):
            draw_image(9000 + 100 * label + i, 8, 8, "RGB").save(root / name / f"{i:02d}.png")
    return root


def written(out: Path) -> dict[str, bytes]:
    """What a run leaves in its place, without logs, which carry durations."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if (path.is_file() and path.suffix != ".jsonl") or path.name == "manifest.jsonl"
    }
