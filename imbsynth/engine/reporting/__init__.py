"""What a report says of the outputs below a folder, a module per kind of output."""
