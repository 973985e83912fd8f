"""Where synthetic images come from: sources, the spaces that samplers work in, and the manifest."""
