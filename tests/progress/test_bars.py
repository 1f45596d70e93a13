"""Progress on a terminal is a bar that ticks, in a notebook a widget, and in a log lines."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stderr

import pytest
from conftest import PATIENCE_S, Terminal, run_child

from l3embed.progress import Expected, FileProgress, Workload, progress_bar, quietly, say, tell
from l3embed.progress.file_progress import shortened


def drawings(terminal: Terminal) -> list[str]:
    """What was drawn, one after the other."""
    return [drawing for drawing in terminal.getvalue().split("\r") if drawing.strip()]


def two_files() -> Workload[str]:
    return Workload({"a": Expected("a.wav", "", 10, items=5), "b": Expected("b.wav", "", 10, items=7)})


def test_a_log_gets_lines_without_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    with FileProgress("Embedding", two_files(), "window") as progress:
        progress.add("a", 5)
        progress.end("a")
        progress.add("b", 7)
        progress.end("b")

    lines = capsys.readouterr().err.splitlines()
    assert "\r" not in "".join(lines)
    assert lines[0].startswith("Embedding (window): 0 of 12, ")
    assert lines[-1].startswith("Embedding (window): 12 of 12, ")
    assert lines[-1].endswith(", 2 of 2 files")


def test_what_is_not_enabled_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Embedding", total=1, enabled=False) as bar:
        bar.update()

    assert capsys.readouterr() == ("", "")


def test_what_is_done_quietly_tells_nothing_but_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with quietly(), progress_bar("Embedding", total=1) as bar:
        bar.update()
        tell("It is made.")
        say("It is wrong.")
    tell("It is over.")

    assert capsys.readouterr() == ("", "It is wrong.\nIt is over.\n")


def test_a_bar_ticks_while_nothing_comes() -> None:
    started_s = time.monotonic()
    with redirect_stderr(Terminal()) as terminal, progress_bar("Embedding", total=1):
        while len(drawings(terminal)) < 4:
            assert time.monotonic() - started_s < PATIENCE_S, "It stands still."
            time.sleep(0.01)


def test_a_bar_moves_within_a_file_and_names_it() -> None:
    with (
        redirect_stderr(Terminal()) as terminal,
        FileProgress("Embedding", two_files(), "window") as progress,
    ):
        progress.add("a", 5)
        progress.end("a")
        progress.add("b", 4)
        progress._bar.refresh()

    assert "| 9/12 [" in terminal.getvalue()
    assert "1 of 2 files, b.wav]" in terminal.getvalue()


def test_a_bar_ends_at_what_came() -> None:
    with (
        redirect_stderr(Terminal()) as terminal,
        FileProgress("Embedding", two_files(), "window") as progress,
    ):
        progress.add("a", 6)
        progress.end("a")
        progress.end("b")  # it failed

    assert "100%|" in drawings(terminal)[-1]
    assert "| 6/6 [" in drawings(terminal)[-1]
    assert "2 of 2 files]" in drawings(terminal)[-1]


def test_files_that_were_there_already_do_not_hasten_the_time_left() -> None:
    with redirect_stderr(Terminal()), FileProgress("Embedding", two_files(), "window") as progress:
        progress.reuse("a")
        figures = progress._bar.format_dict

    assert (figures["n"], figures["initial"], figures["total"]) == (5, 5, 12)
    assert not figures["rate"]


def test_a_name_is_shortened_to_its_beginning_and_end() -> None:
    assert shortened("brief.wav") == "brief.wav"
    assert shortened("a_recording_of_the_whole_evening_take_12.wav") == "a_recording_o...g_take_12.wav"
    assert shortened("up\x1b[2J\n.wav") == "up?[2J?.wav"


NOTEBOOK = """
import sys, types, warnings
warnings.simplefilter("always")
def module(name, **names):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(names)
class Shell: pass
shown = []
module("IPython", get_ipython=Shell)
module("IPython.display", display=shown.append)
module("ipykernel.zmqshell")
class Widget:
    def __init__(self, children=(), **traits):
        self.children, self.layout, self.style = children, types.SimpleNamespace(), types.SimpleNamespace()
        self.value = self.bar_style = ""
        vars(self).update(traits)
class Text(Widget): pass
if {has_widgets}:
    module("ipywidgets", HTML=Text, FloatProgress=Widget, HBox=Widget)
else:
    sys.modules["ipywidgets"] = None
from l3embed.progress import Expected, FileProgress, Workload
with FileProgress("Embedding", Workload({{"a": Expected("a.wav", "", 10, items=5)}}), "window") as progress:
    progress.add("a", 8)
    progress.end("a")
for container in shown:
    text, bar, more = container.children
    print(type(bar).__name__, bar.value, bar.max, bar.bar_style, more.value.replace(chr(0x2007), " "))
"""


def test_in_a_notebook_a_bar_is_a_widget() -> None:
    done = run_child([sys.executable, "-c", NOTEBOOK.format(has_widgets=True)])

    assert done.stdout.startswith("Widget 8 8 success  8/8 [")
    assert done.stdout.endswith("1 of 1 file]\n")
    assert not done.stderr


def test_in_a_notebook_without_widgets_a_bar_is_text_and_nothing_is_said_of_it() -> None:
    done = run_child([sys.executable, "-c", NOTEBOOK.format(has_widgets=False)])

    assert "| 8/8 [" in done.stderr
    assert "IProgress" not in done.stderr
    assert "Warning" not in done.stderr
    assert not done.stdout
