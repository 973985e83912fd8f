"""Grids of runs: protocols, recipes, the cells of a grid, and the verdict on a folder."""
