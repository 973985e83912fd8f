"""Results side by side: read back, summarised as tables, ranked and tested, over the imbalance."""
