"""What is nearly the same in a folder, or in two."""
