"""Grids of runs: protocols, recipes, trials in their workspace, and the verdict on one folder."""
