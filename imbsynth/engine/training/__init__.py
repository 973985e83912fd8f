"""How a network is trained: on which images, by which steps, with which log and state."""
