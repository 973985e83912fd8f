"""As in imbsynth/configs."""
