"""How far folders are apart: features of images, summaries of the features, and the numbers."""
