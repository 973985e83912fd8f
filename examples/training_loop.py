"""Balance the images of your own training loop, or of an array.

The samplers of `imbsynth generate`, without a folder in between. The network and the loop are
yours; these are as small as they can be. The number of epochs can be given.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

import imbsynth

SAMPLES = Path("sample_data")
EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 10


def noisy(image: torch.Tensor) -> torch.Tensor:
    """A (c, h, w) uint8 image -> floats, about [0, 1]; transforms of torchvision would do."""
    return image / 255 + 0.05 * torch.randn(image.shape)


def main() -> None:
    # Each pass over the sampler is the next epoch, with synthetic images of its own. The seed
    # decides all of them, whatever the number of workers.
    dataset, sampler = imbsynth.balanced(
        SAMPLES / "train", method="smote", k_neighbors=3, transform=noisy, seed=1
    )
    loader = DataLoader(dataset, batch_size=32, sampler=sampler, num_workers=2)
    print(f"images per class and epoch: {np.bincount(dataset.targets).tolist()}")

    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.LazyLinear(len(dataset.classes)),
    )
    network(dataset[0][0][None])  # now it knows the size of the images
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for epoch in range(EPOCHS):
        for images, labels in loader:
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss of the last batch {loss.item():.3f}")

    # With to=1 no class lacks an image: the test images as they are.
    test, _ = imbsynth.balanced(SAMPLES / "test", to=1)
    images = torch.stack([image for image, _ in test])
    with torch.inference_mode():
        right = network(images).argmax(1).numpy() == np.array(test.targets)
    recalls = [right[np.array(test.targets) == k].mean() for k in range(len(test.classes))]
    print(f"mean recall on the test images: {np.mean(recalls):.3f}")

    # The same for an array, with the interface of imbalanced-learn.
    train, _ = imbsynth.balanced(SAMPLES / "train", to=1, transform=torch.Tensor.numpy)
    pixels = np.stack([image[0] for image, _ in train])  # (n, h, w) uint8
    sampler = imbsynth.ImageOverSampler("smote", options={"k_neighbors": 3}, random_state=1)
    more, labels = sampler.fit_resample(pixels, np.array(train.targets))
    print(f"{pixels.shape} -> {more.shape}, per class {np.bincount(labels).tolist()}")


if __name__ == "__main__":  # where workers are started afresh, they import this file
    main()
