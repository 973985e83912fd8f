"""Results side by side: read back, ranked, tested and tabulated."""
