"""A classifier as other programs run it: images in, probabilities out."""

from __future__ import annotations

from torch import Tensor, nn

from imbsynth.models.classifiers import Classifier


class Portable(nn.Module):
    """(n, c, h, w) float32 images in [0, 1] -> (n, k) probabilities; normalises them itself."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """softmax(z) of the classifier's logits z."""
        return self.classifier(images).softmax(1)
