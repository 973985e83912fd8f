"""Numbers only: arrays in, arrays out, randomness from a generator that is handed in."""
