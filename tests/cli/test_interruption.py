"""Ctrl-C, once and twice, sent to real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from conftest import EACH_RUNTIME, WriteWav, child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole consoles")

ANSWER = "l3embed: finishing what is under way"


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process, which is ended in any case."""
    with child([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process


def wait_for_line(stream: IO[str] | None, beginning: str) -> None:
    assert stream
    assert any(line.startswith(beginning) for line in stream), "It ended without saying so."


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def embed_long(write_wav: WriteWav, folder: Path, runtime: str) -> tuple[str, ...]:
    """A command that would take a minute."""
    path = write_wav("long.wav", seconds=180)
    return (
        *("-m", "l3embed", "audio", str(path), "-i", "mel128", "-o", str(folder / "out")),
        *("--runtime", runtime),
    )


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@EACH_RUNTIME
def test_ctrl_c_ends_all_threads_and_leaves_no_half_output(
    write_wav: WriteWav, tmp_path: Path, runtime: str
) -> None:
    with running(*embed_long(write_wav, tmp_path, runtime)) as process:
        wait_for_line(process.stderr, "Embedding (window): 0 of ")
        interrupt(process)
        _, said = process.communicate()

    assert process.returncode == 130
    assert ANSWER in said
    assert "l3embed: interrupted; what was saved stays" in said
    assert "Traceback" not in said
    assert not files_in(tmp_path / "out")


@EACH_RUNTIME
def test_a_second_ctrl_c_ends_it_at_once_and_leaves_no_half_output(
    write_wav: WriteWav, tmp_path: Path, runtime: str
) -> None:
    with running(*embed_long(write_wav, tmp_path, runtime)) as process:
        wait_for_line(process.stderr, "Embedding (window): 0 of ")
        interrupt(process)
        wait_for_line(process.stderr, ANSWER)
        interrupt(process)
        _, said = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in said
    assert "FATAL" not in said
    assert not files_in(tmp_path / "out")


IN_C_CODE = """
import collections, itertools, os, sys
from l3embed.console.interruption import answering
def run():
    begin = map(os.write, [1], [b"begun\\n"])
    # For ever, and from there on without a line of Python, keeping its lock as compilations do.
    collections.deque(itertools.chain(begin, itertools.repeat(0)), maxlen=0)
    return 0
sys.exit(answering("l3embed", run))
"""


def test_ctrl_c_is_answered_while_no_thread_can_run_python_code() -> None:
    with running("-c", IN_C_CODE) as process:
        wait_for_line(process.stdout, "begun")
        interrupt(process)
        wait_for_line(process.stderr, ANSWER)


SWALLOWED = """
import sys, time
from l3embed.console.interruption import answering
def run():
    try:
        print("begun", flush=True)
        time.sleep(600)
    except BaseException:  # as some imports do
        print("swallowed", flush=True)
    time.sleep(600)
    return 0
sys.exit(answering("l3embed", run))
"""


def test_ctrl_c_that_other_code_has_swallowed_counts() -> None:
    with running("-c", SWALLOWED) as process:
        wait_for_line(process.stdout, "begun")
        interrupt(process)
        out, said = process.communicate()

    assert out == "swallowed\n"
    assert process.returncode == 130
    assert "l3embed: interrupted." in said


CLEANING_UP = """
import subprocess, sys, time
from pathlib import Path
from l3embed.console.interruption import answering
from l3embed.disk.atomic import replacing, replacing_folder
from l3embed.disk.leftovers import programs
folder = Path(sys.argv[1])
def run():
    program = subprocess.Popen(["sleep", "600"])
    programs.add(program)
    with replacing(folder / "a") as file, replacing_folder(folder / "b") as other:
        file.write_text("half")
        other.mkdir()
        (other / "c").write_text("half")
        try:
            print("begun", flush=True)
            time.sleep(600)
        finally:
            time.sleep(600)
    return 0
sys.exit(answering("l3embed", run))
"""


def test_a_second_ctrl_c_leaves_neither_temporary_files_nor_programs(tmp_path: Path) -> None:
    with running("-c", CLEANING_UP, str(tmp_path)) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        assert len(list(tmp_path.iterdir())) == 2
        interrupt(process)
        wait_for_line(process.stderr, ANSWER)
        interrupt(process)
        # Which ends when nobody is left who could write to its pipes: the program neither.
        process.communicate()

    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_not_to_be_interrupted_goes_on() -> None:
    """As under nohup: what ignores Ctrl-C from the beginning is not made to hear it."""
    program = (
        "import signal, sys\n"
        "from l3embed.console.interruption import answering\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.exit(answering('l3embed', lambda: signal.raise_signal(signal.SIGINT) or 7))"
    )
    with running("-c", program) as process:
        assert process.communicate() == ("", "")
    assert process.returncode == 7


LIBRARY = """
import sys, l3embed
l3embed.process_audio_file(sys.argv[1], sys.argv[2], input_repr="mel128", runtime=sys.argv[3])
"""


@EACH_RUNTIME
def test_a_program_of_the_user_s_ends_as_python_does(
    write_wav: WriteWav, tmp_path: Path, runtime: str
) -> None:
    """With a KeyboardInterrupt, however often: no thread is stopped in the middle of a framework's code."""
    path = write_wav("long.wav", seconds=180)
    with running("-c", LIBRARY, str(path), str(tmp_path / "out"), runtime) as process:
        wait_for_line(process.stderr, "Embedding (window): 0 of ")
        interrupt(process)
        time.sleep(0.1)  # so that it is a second one; nothing depends on it
        interrupt(process)
        _, said = process.communicate()

    assert "KeyboardInterrupt" in said
    assert "FATAL" not in said
    assert process.returncode in (1, -signal.SIGINT)  # the second may come while Python ends
    assert not files_in(tmp_path / "out")
