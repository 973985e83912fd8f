from __future__ import annotations

import pytest
import torch
from scipy.spatial import Delaunay

from imbsynth.models.gamo import MOST_POINTS, NOISE_DIM, Gamo
from imbsynth.models.generators import GeneratorShape, Turn

GRAY, COLOUR = GeneratorShape(1, 8, 8, 5, (12, 6, 3)), GeneratorShape(3, 8, 8, 5, (12, 6, 3))


def drawn(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, NOISE_DIM, generator=rng), torch.arange(count) % 3


def settled(shape: GeneratorShape) -> Gamo:
    model = Gamo(shape)
    model.settle([torch.rand(n, model.points.shape[1]) for n in shape.counts])
    return model


def turn(shape: GeneratorShape) -> Turn:
    images = torch.rand(6, shape.channels, 8, 8)
    return Turn(images, torch.tensor([0, 0, 1, 1, 2, 2]), drawn(6), drawn(6, 1))


def changed(model: Gamo, loss: torch.Tensor) -> set[str]:
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {n.split(".")[0] for n, w in model.named_parameters() if w.grad is not None}


def test_points_in_the_plane_stay_within_the_hull_of_their_class() -> None:
    model = Gamo(GeneratorShape(1, 1, 2, 5, (20, 8)))
    classes = [torch.randn(20, 2), torch.randn(8, 2) + 9]
    model.settle(classes)
    for label, points in enumerate(classes):
        made = model.combined(torch.randn(200, NOISE_DIM) * 5, torch.full((200,), label))
        assert (Delaunay(points.numpy()).find_simplex(made.detach().numpy(), tol=1e-5) >= 0).all()


def test_a_combination_by_hand() -> None:
    model = Gamo(GeneratorShape(1, 1, 2, 5, (2, 1)))
    model.settle([torch.tensor([[0.0, 0.0], [1.0, 0.5]]), torch.tensor([[0.25, 0.75]])])
    for layer in model.weighing:
        torch.nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
        torch.nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    model.weighing[0].bias.data = torch.tensor([0.0, 3.0]).log1p()  # weights 1 / 5 and 4 / 5
    model.eval()
    made = model.combined(torch.randn(3, NOISE_DIM), torch.tensor([1, 0, 1]))
    assert made.tolist() == [[0.25, 0.75], pytest.approx([0.8, 0.4]), [0.25, 0.75]]
    assert model.generate(torch.randn(1, NOISE_DIM), torch.tensor([1])).tolist() == [
        [[[0.25, 0.75]]]
    ]


@pytest.mark.parametrize("shape", [GRAY, COLOUR])
def test_each_loss_reaches_its_own_player_only(shape: GeneratorShape) -> None:
    model = settled(shape)
    players = [{"classifier"}, {"discriminator"}, {"mapping", "weighing"}]
    for place, player in enumerate(players, 1):
        assert changed(model, model.play(turn(shape))[place]) == player


def test_the_losses_by_hand_where_the_opponents_say_nothing() -> None:
    model = settled(GRAY)
    for network in (model.classifier, model.discriminator):
        torch.nn.init.zeros_(network[-1].weight)  # type: ignore[arg-type]
        torch.nn.init.zeros_(network[-1].bias)  # type: ignore[arg-type]
    recon, told, believed, made = (loss.item() for loss in model.play(turn(GRAY)))
    # A third for each of three classes, of which one is right; a half for real and for synthetic.
    assert recon == 0
    assert told == pytest.approx(((2 / 3) ** 2 + 2 * (1 / 3) ** 2) / 3)
    assert believed == pytest.approx(0.45**2)
    assert made == pytest.approx(0.5**2 + ((1 / 3) ** 2 + 2 * (2 / 3) ** 2) / 3)


def test_colour_trains_the_autoencoder_alone_in_the_first_stage() -> None:
    model = Gamo(COLOUR)
    losses = torch.stack(list(model.pretrain(*turn(COLOUR)[:2])))
    assert losses[1:].tolist() == [0, 0, 0]
    assert changed(model, losses.sum()) == {"autoencoder"}


def test_a_gray_generator_has_no_first_stage() -> None:
    with pytest.raises(ValueError, match="no autoencoder"):
        Gamo(GRAY).pretrain(*turn(GRAY)[:2])


def test_classes_are_shown_by_what_they_lack() -> None:
    shares = Gamo(GeneratorShape(1, 8, 8, 5, (100, 40, 10))).shares
    assert shares == pytest.approx((10 / 160, 60 / 160, 90 / 160))


def test_the_network_does_not_grow_with_the_folder() -> None:
    model = Gamo(GeneratorShape(1, 8, 8, 5, (MOST_POINTS + 500, 3)))
    model.settle([torch.rand(MOST_POINTS + 500, 64), torch.rand(3, 64)])
    assert model.points.shape == (MOST_POINTS + 3, 64)
