from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from imbsynth.configs import AosTrainConfig, TrainAeConfig
from imbsynth.core.attacks import fgsm
from imbsynth.engine import aos_train, train_ae
from imbsynth.engine.events import Event
from imbsynth.engine.training import moves
from imbsynth.engine.training.memory import Step, check_memory, needed
from imbsynth.engine.training.moves import moved_at_once
from imbsynth.errors import UserError
from imbsynth.store import memory
from tests.conftest import MakeFolder

MEASURE = """
import sys, torch
from imbsynth.models.classifiers import Classifier, ImageShape
name, side, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)
model = Classifier(name, ImageShape(3, side, side), 10).to(memory_format=torch.channels_last)
images = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
model(images[:2]).sum().backward()
def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

before = peak()
model(images).sum().backward()
print(peak() - before)
"""


def test_what_is_kept_by_hand() -> None:
    """A 1x1 convolution keeps its input, ReLU its output: 2 maps of 3 channels, 4 bytes each."""
    step = Step(lambda: nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()), (3, 10, 20), 7)
    fixed, per_image = needed(step)
    a_map = 3 * 10 * 20 * 4
    assert fixed == 4 * 4 * (9 + 3)
    assert per_image == (2 + 2 + 4) * a_map  # kept, two gradients, four copies of the batch
    assert needed(step._replace(passes=2))[1] == (4 + 2 + 4) * a_map


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
@pytest.mark.parametrize(("name", "side", "batch"), [("cnn", 64, 32), ("resnet18", 64, 16)])
def test_the_estimate_is_close_to_what_is_measured(name: str, side: int, batch: int) -> None:
    from imbsynth.models.classifiers import Classifier, ImageShape

    command = [sys.executable, "-c", MEASURE, name, str(side), str(batch)]
    found = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    shape = ImageShape(3, side, side)
    _, per_image = needed(Step(lambda: Classifier(name, shape, 10), shape, batch))
    assert 0.7 * found < batch * per_image < 1.6 * found


def limited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int) -> None:
    (tmp_path / "meminfo").write_text(f"MemAvailable: {free // 1024} kB\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")


def test_processes_share_a_step_and_the_memory_of_a_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    step = Step(lambda: nn.Conv2d(3, 64, 3, padding=1), (3, 64, 64), 128)
    cpu = torch.device("cpu")
    fixed, per_image = needed(step)
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    limited(monkeypatch, tmp_path, 2 * (fixed + 40 * per_image))
    with pytest.raises(UserError, match="batches of 128"):
        check_memory(step, 0, cpu)
    monkeypatch.setenv("WORLD_SIZE", "4")  # 32 images each
    check_memory(step, 0, cpu)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")  # on this machine
    with pytest.raises(UserError, match="at most batch_size 76"):
        check_memory(step, 0, cpu)


def test_sizes_that_fit_are_advised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    step = Step(lambda: nn.Conv2d(3, 64, 3, padding=1), (3, 384, 512), 128)
    cpu = torch.device("cpu")
    fixed, per_image = needed(step)
    limited(monkeypatch, tmp_path, fixed + 32 * per_image + 2048)
    with pytest.raises(UserError, match=r"batches of 128 images of 384x512 pixels") as caught:
        check_memory(step, 0, cpu)
    assert caught.value.fix.endswith(
        "at most image_size 192x256, or smaller batches, at most batch_size 32"
    )
    check_memory(step._replace(size=(3, 192, 256)), 0, cpu)
    check_memory(step._replace(batch_size=32), 0, cpu)


def test_images_that_leave_no_room_may_be_read_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    step = Step(lambda: nn.Conv2d(3, 64, 3, padding=1), (3, 64, 64), 8)
    cpu, images = torch.device("cpu"), 10_000  # 123 MB
    fixed, per_image = needed(step)
    limited(monkeypatch, tmp_path, fixed + 8 * per_image + 50 * 10**6 + 2048)
    with memory.limited(memory.limit_of("200MB")), pytest.raises(UserError) as caught:
        check_memory(step, images, cpu)
    assert caught.value.fix.endswith(", or read the images from a file with memory 50MB")
    with memory.limited(memory.limit_of("50MB")):
        check_memory(step, images, cpu)
    limited(monkeypatch, tmp_path, fixed + 4 * per_image)
    with memory.limited(memory.limit_of("200MB")), pytest.raises(UserError) as caught:
        check_memory(step, images, cpu)
    assert "memory" not in caught.value.fix  # it would not help


def test_training_that_would_fill_the_memory_is_refused_before_reading(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    src = make_folder({"a": 4, "b": 3}, size=(96, 128))
    limited(monkeypatch, tmp_path, 10**8)
    told: list[Event] = []
    classifier = AosTrainConfig(src=src, out=tmp_path / "clf.safetensors", image_size=(96, 128))
    with pytest.raises(UserError, match="GB of memory"):
        aos_train.run(classifier, on_event=told.append)
    autoencoder = TrainAeConfig(src=src, out=tmp_path / "ae.safetensors", image_size=(96, 128))
    with pytest.raises(UserError, match="GB of memory"):
        train_ae.run(autoencoder, on_event=told.append)
    assert told == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meminfo", "src"]


def test_images_are_moved_in_numbers_that_depend_on_their_size_alone() -> None:
    assert moved_at_once((28, 28)) == moved_at_once((32, 32)) == 512
    assert moved_at_once((64, 64)) == 128
    assert moved_at_once((384, 512)) == 2
    assert moved_at_once((1024, 1024)) == 1


def test_an_image_is_moved_alike_in_any_company() -> None:
    """In float64, so that nothing is left to the order of sums."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).double()
    images, labels = torch.rand(6, 3, 2, 2).double(), torch.tensor([0, 1, 2, 0, 1, 2])

    def moved(part: slice) -> torch.Tensor:
        def loss(x: torch.Tensor) -> torch.Tensor:
            return nn.functional.cross_entropy(model(x), labels[part], reduction="sum")

        return fgsm(images[part], loss, None, epsilon=0.1)  # type: ignore[arg-type]

    parts = [moved(slice(first, first + 2)) for first in (0, 2, 4)]
    assert torch.equal(torch.cat(parts), moved(slice(0, 6)))


def test_a_run_ends_alike_whatever_the_number_of_images_moved_at_once(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    src = make_folder({"a": 9, "b": 4})
    losses = []
    for at_once in (512, 2):
        monkeypatch.setattr(moves, "MOST_AT_ONCE", at_once)
        out = tmp_path / f"{at_once}.safetensors"
        aos_train.run(AosTrainConfig(src=src, out=out, epochs=2, attack="pgd", batch_size=4))
        log = out.with_suffix(".jsonl").read_text().splitlines()
        losses.append([json.loads(line)["loss"] for line in log])
    # Another number of images rounds otherwise, and a sign may turn where a gradient is almost 0.
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
