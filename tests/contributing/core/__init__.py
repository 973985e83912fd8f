"""As in imbsynth/core."""
