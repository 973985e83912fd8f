"""As in imbsynth/engine."""
