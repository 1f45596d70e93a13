"""Counts as people write them."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, as in ``1 file`` and ``1,200 classes``.

    Parameters
    ----------
    count : int
        How many.
    noun : str
        What one of them is called.
    plural : str
        What several are called, if that is more than the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
