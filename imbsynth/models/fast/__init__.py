"""Layers that compute the same as torch's own, to rounding, in less time on a CPU.

What each is kept for, by benchmarks/convolutions.py (one thread, 100 images, forward and backward)
and benchmarks/train_ae.py:

- `convolutions`: where a map shrinks to a single pixel, or grows from one, a matrix product is 5 to
  8 times as fast as torch's convolution.
- `filtering`: for maps of 4 to 16 pixels a side and 64 or more channels, 1.1 to 2.9 times as fast.
  These and the single pixels are 70 % of a training step of the autoencoder at 28x28 pixels; with
  both, a step takes 0.6 to 0.65 times as long.
- `spectral`: for the two layers of stride 1 of the public script's decoder, 1.3 to 2.7 times as
  fast. Training with that decoder is 1.5 to 2 times as fast as the public script's with it, and
  0.8 times without it.

benchmarks/README.md has the tables, and what was tried and did not pay.

`switch` alone decides when they are used; IMBSYNTH_FAST=0 in the environment turns all of them off.
The choice depends on the shape, device and dtype of a batch, never on values, so equal batches give
equal results; an image in batches of different sizes may differ by rounding.
"""
