"""Progress on a terminal is a bar; in a log it is lines."""

from __future__ import annotations

import pytest

from l3embed.progress import FileProgress, progress_bar


def test_a_log_gets_lines_without_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    with FileProgress("Embedding", 2, "windows") as progress:
        progress.add(5)
        progress.file_done()
        progress.add(7)
        progress.file_done()

    lines = capsys.readouterr().err.splitlines()
    assert "\r" not in "".join(lines)
    assert lines[-1].startswith("Embedding (file): 2 of 2, ")
    assert lines[-1].endswith(", 12 windows")


def test_what_is_not_enabled_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Embedding", total=1, enabled=False) as bar:
        bar.update()

    assert capsys.readouterr() == ("", "")
