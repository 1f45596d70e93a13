"""The two kinds of trouble that l3embed reports to its users."""


class OpenL3Error(Exception):
    """A mistake or a fault that stops a computation: what came, what is allowed, what to do."""


class FilesError(OpenL3Error):
    """Some files of several could not be processed; the others were.

    Parameters
    ----------
    failures : dict[str, str]
        The reason for each file that failed, by its path as it was given.
    done : int
        How many were processed.
    """

    def __init__(self, failures: dict[str, str], done: int) -> None:
        self.failures = failures
        self.done = done
        lines = [f"{path}: {reason}" for path, reason in failures.items()]
        if len(lines) == 1 and not done:
            super().__init__(lines[0])
        else:
            total = done + len(lines)
            super().__init__("\n  ".join([f"{len(lines)} of {total} files could not be processed:", *lines]))


class OpenL3Warning(UserWarning):
    """Something that the user should know, and that does not stop the computation."""
