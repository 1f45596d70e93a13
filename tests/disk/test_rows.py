"""Rows that wait to be written: what a full disk does to them."""

import errno
import os
from pathlib import Path

import pytest

from l3embed.disk.rows import RowSpool


def test_what_ends_the_writing_is_not_hidden_by_a_disk_that_is_full_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing a file writes what still waits in its buffer."""

    def close(self: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("l3embed.disk.rows.SpooledTemporaryFile.close", close)
    with pytest.raises(ValueError, match="the first fault"), RowSpool(tmp_path):
        raise ValueError("the first fault")
