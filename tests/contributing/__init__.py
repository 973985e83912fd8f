"""The examples of CONTRIBUTING.md: real methods, kept out of the package."""
