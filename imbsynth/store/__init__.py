"""The one layer that touches the disk."""
