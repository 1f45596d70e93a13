"""Ctrl-C, sent to a real process while it embeds."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import WriteWav, child


@pytest.mark.parametrize("runtime", ["openvino", "keras"])
def test_ctrl_c_ends_all_threads_and_leaves_no_half_output(
    write_wav: WriteWav, tmp_path: Path, runtime: str
) -> None:
    """The file would take a minute; the process is to end at once, in words."""
    path = write_wav("long.wav", seconds=180)
    command = [
        sys.executable,
        "-m",
        "l3embed",
        "audio",
        str(path),
        "-i",
        "mel128",
        "-o",
        str(tmp_path / "out"),
    ]
    with child([*command, "--runtime", runtime], stderr=subprocess.PIPE) as process:
        assert process.stderr
        while not process.stderr.readline().startswith("Embedding (file): 0 of 1"):
            assert process.poll() is None

        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == 130
    assert "l3embed: interrupted; what was saved stays" in said
    assert "Traceback" not in said
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
