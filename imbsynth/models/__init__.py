"""Networks: nn.Modules without input or output."""
