"""As in imbsynth/cli."""
