"""For one's own code: a PyTorch data set, and a sampler of imbalanced-learn."""
