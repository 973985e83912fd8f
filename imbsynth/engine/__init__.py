"""The commands: one function `run(config, *, on_event) -> Report` in one module each."""
