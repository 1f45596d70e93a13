"""Which file an input's embeddings go to."""

from __future__ import annotations

import os
from collections.abc import Iterable

from l3embed.errors import OpenL3Error


def get_output_path(filepath: str, suffix: str, output_dir: str | None = None) -> str:
    """Return the path of the output that belongs to an input.

    Parameters
    ----------
    filepath : str
        Path of the input.
    suffix : str
        What follows the input's name without its ending; it brings its own ending. One that is more
        than an ending is set off by an underscore: ``.npz`` gives ``name.npz``, ``a.npz`` ``name_a.npz``.
    output_dir : str or None
        Folder of the output; the input's own if None.

    Examples
    --------
    >>> import l3embed
    >>> l3embed.get_output_path("sounds/bells.wav", ".npz")
    'sounds/bells.npz'
    >>> l3embed.get_output_path("sounds/bells.wav", "mel128.npz", "embeddings")
    'embeddings/bells_mel128.npz'
    """
    # Strings rather than pathlib, which would lose a leading "./".
    folder, name = os.path.split(filepath)
    stem = os.path.splitext(name)[0]  # noqa: PTH122
    separator = "" if suffix.startswith(".") else "_"
    return os.path.join(output_dir or folder, f"{stem}{separator}{suffix}")  # noqa: PTH118


def refuse_shared_outputs(outputs: Iterable[tuple[str, str]]) -> None:
    """Check that no two inputs would write to one output.

    Parameters
    ----------
    outputs : iterable of (input, output)
        All that is going to be written.

    Raises
    ------
    OpenL3Error
        Naming both inputs and the output.
    """
    writers: dict[str, str] = {}
    for source, target in outputs:
        key = _real(target)
        if key in writers and _real(source) != _real(writers[key]):
            raise OpenL3Error(
                f"{writers[key]} and {source} would both be written to {target}. "
                "Process them apart, with different output folders or suffixes."
            )
        writers[key] = source


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a name that no file can have is that input's own fault
        return path
