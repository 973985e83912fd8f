"""Our trained networks: in and out of their checkpoints, and images through them in batches."""
