"""Commands whose output nobody reads any more: they end without a word, as other programs do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import run_child
from stages.conftest import REPOSITORY

from l3embed.cli.unread import EXIT_UNREAD


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe that can be written to, and that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    "arguments",
    [
        ["l3embed", "--help"],
        ["l3embed", "--version"],
        ["l3embed", "weights", "list"],
        ["l3embed", "completion", "bash"],
        ["l3embed.app.params", "--help"],
        ["l3embed.app.run", "--cfg", "job"],
    ],
    ids=" ".join,
)
def test_a_command_ends_without_a_word(arguments: list[str], unread: int) -> None:
    done = run_child([sys.executable, "-m", *arguments], status=EXIT_UNREAD, stdout=unread, cwd=REPOSITORY)
    assert done.stderr == ""


def test_errors_that_nobody_reads_end_it_too(unread: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "l3embed", "audio", str(tmp_path / "nothing.wav")]
    run_child(command, status=EXIT_UNREAD, stderr=unread)


def test_it_ends_as_the_shell_s_own_programs_do() -> None:
    """By the status that a shell tells of ``yes``, which writes for ever."""
    found = run_child(["bash", "-c", "yes | true; echo ${PIPESTATUS[0]}"]).stdout
    assert found == f"{EXIT_UNREAD}\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_was_begun_is_not_left_behind(stream: str, unread: int, tmp_path: Path) -> None:
    program = (
        "import sys, threading\nfrom pathlib import Path\nfrom l3embed.cli.unread import end_when_unread\n"
        "from l3embed.disk.atomic import replacing\nend_when_unread()\n"
        "def work():\n"
        "    with replacing(Path('made.txt')) as temporary:\n"
        "        temporary.write_text('half')\n"
        f"        sys.{stream}.write('said\\n')\n        sys.{stream}.flush()\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()\n"
    )
    run_child([sys.executable, "-c", program], status=EXIT_UNREAD, cwd=tmp_path, **{stream: unread})
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_comes_whole_and_in_order() -> None:
    program = (
        "import sys\nfrom l3embed.cli.unread import end_when_unread\nprint('a')\nend_when_unread()\n"
        "print('b' * 1_000_000)\nprint('ä')\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    said = run_child([sys.executable, "-c", program], env=environment, encoding="utf-8").stdout
    assert said == "a\n" + "b" * 1_000_000 + "\nä\n"


@pytest.mark.parametrize("option", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_it_is_written_as_soon_as_before(option: list[str], stream: str) -> None:
    """A line of a log must not wait until others fill a buffer."""
    program = (
        "import io, sys\nfrom l3embed.cli.unread import end_when_unread\n"
        f"def found():\n    stream = sys.{stream}\n"
        "    is_buffered = isinstance(stream.buffer, io.BufferedWriter)\n"
        "    return stream.line_buffering, stream.write_through, is_buffered\n"
        "before = found()\nend_when_unread()\nprint(found() == before, before)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    said = run_child([sys.executable, *option, "-c", program], env=environment).stdout
    assert said.startswith("True ")
    assert said.endswith(f"{not option})\n")


def test_files_are_written_as_before(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom l3embed.cli.unread import end_when_unread\nbefore = sys.stdout, sys.stderr\n"
        "end_when_unread()\nprint((sys.stdout, sys.stderr) == before)\n"
    )
    with (tmp_path / "said").open("w") as file:
        run_child([sys.executable, "-c", program], stdout=file, stderr=file)
    assert (tmp_path / "said").read_text() == "True\n"
