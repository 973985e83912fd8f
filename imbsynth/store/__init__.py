"""The one layer that reads and writes files."""
