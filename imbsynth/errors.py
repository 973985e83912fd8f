"""The ways a run ends early that are not bugs."""


class UserError(Exception):
    """A problem the user can fix: what is wrong, then what to do about it."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  fix: {fix}")
        self.problem = problem
        self.fix = fix


class Busy(UserError):
    """Another process is writing the same output."""


class Interrupted(Exception):
    """A run that was asked to stop (SIGINT, SIGTERM) and has put its work in safety first."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.exit_code = 128 + signal_number
