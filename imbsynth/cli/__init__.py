"""The command line: options in, one config, one run, one printed result."""

from imbsynth.cli.app import app, main

__all__ = ["app", "main"]
