"""Balance an imbalanced folder of images by synthesising its rare classes."""

__version__ = "0.1.0"
