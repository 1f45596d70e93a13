"""Processes that tests start: all go through what ends them, whatever fails."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from select import select

import pytest
from conftest import PATIENCE_S, child, run_child

FOLDER = Path(__file__).parent
BOUNDED = {"run", "call", "check_call", "check_output"}
"""Functions of `subprocess` that end their process when their time-out is over."""

NEVER_ENDS = "import threading; print('ready', flush=True); threading.Event().wait()"
STARTS_ANOTHER = (
    "import subprocess, sys, threading\n"
    "subprocess.Popen([sys.executable, '-c', sys.argv[1]], close_fds=False)\n"
    "threading.Event().wait()\n"
)


def unbounded_starts(source: str) -> list[str]:
    """The calls of `subprocess` that start what might never end."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        ast.unparse(call)
        for call in calls
        if (name := ast.unparse(call.func)).startswith("subprocess.")
        and not (
            name.removeprefix("subprocess.") in BOUNDED
            and any(keyword.arg == "timeout" for keyword in call.keywords)
        )
    ]


MODULES = sorted(set(FOLDER.rglob("*.py")) - {FOLDER / "conftest.py"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_test_starts_a_process_that_nobody_ends(path: Path) -> None:
    """They use `child` or `run_child`, or say how long it may take; see ``conftest.py``."""
    assert unbounded_starts(path.read_text(encoding="utf-8")) == []


def test_a_start_without_a_bound_is_found() -> None:
    source = "subprocess.Popen(a)\nsubprocess.run(b, check=True)\nsubprocess.run(c, timeout=1)"
    assert unbounded_starts(source) == ["subprocess.Popen(a)", "subprocess.run(b, check=True)"]


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_what_a_child_has_started_ends_with_it_when_the_test_fails() -> None:
    def fail() -> None:
        with child([sys.executable, "-c", STARTS_ANOTHER, NEVER_ENDS], stdout=writing, pass_fds=[writing]):
            assert pipe.readline() == "ready\n"
            raise ZeroDivisionError

    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        with pytest.raises(ZeroDivisionError):
            fail()
        os.close(writing)
        assert select([pipe], [], [], PATIENCE_S)[0]
        assert pipe.read() == ""  # its end, which comes when nobody is left to write


def test_patience_with_a_child_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PATIENCE_S >= 60
    monkeypatch.setattr("conftest.PATIENCE_S", 0.1)
    with pytest.raises(AssertionError):
        run_child([sys.executable, "-c", NEVER_ENDS])


def test_a_child_with_another_status_says_why() -> None:
    with pytest.raises(AssertionError, match="No such thing"):
        run_child([sys.executable, "-c", "raise SystemExit('No such thing')"])
