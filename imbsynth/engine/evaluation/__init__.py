"""What a trained classifier says of images: scores, files and sheets."""
