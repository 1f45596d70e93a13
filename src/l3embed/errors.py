"""The two kinds of trouble that l3embed reports to its users."""


class OpenL3Error(Exception):
    """A mistake or a fault that stops a computation: what came, what is allowed, what to do."""


class OpenL3Warning(UserWarning):
    """Something that the user should know, and that does not stop the computation."""
