"""How far folders are apart: features of images, their summaries, and the distances."""
