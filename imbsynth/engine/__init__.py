"""The commands, one module each: `run(config, *, on_event) -> Report`; in rooms, what they use."""
