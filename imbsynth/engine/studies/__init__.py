"""Methods against each other: a protocol, its cells, their results, and what follows from them."""
