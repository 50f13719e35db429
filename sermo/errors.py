"""What every app raises when a rule says no."""


class RuleBroken(Exception):
    """A refusal whose text may be shown to the person who asked."""

    message = "That is not possible."

    def __init__(self, message: str | None = None):
        super().__init__(message or self.message)
