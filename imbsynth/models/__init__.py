"""Networks: nn.Modules that touch no files."""
