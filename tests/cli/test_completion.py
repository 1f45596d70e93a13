"""``l3embed completion``: scripts for shells, and what they are answered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run_child

from l3embed.cli.main import main


@pytest.mark.parametrize(
    ("shell", "says"),
    [("bash", "complete -o nospace"), ("zsh", "#compdef l3embed"), ("fish", "complete --command l3embed")],
)
def test_each_shell_has_its_script(shell: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert says in capsys.readouterr().out


def test_another_shell_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "cmd"])
    assert "invalid choice: 'cmd'" in capsys.readouterr().err


def completions(line: str, folder: Path) -> list[str]:
    """Ask for completions as shells do: by the variables that argcomplete documents."""
    answer = folder / "answer"
    asking = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-c", "from l3embed.cli.main import main; main()"]
    run_child(command, env=asking)
    return [word.strip() for word in answer.read_text().splitlines()]


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completions("l3embed wei", tmp_path) == ["weights"]


def test_choices_of_an_option_are_completed(tmp_path: Path) -> None:
    found = completions("l3embed audio --input-repr m", tmp_path)
    assert found == ["mel128", "mel256"]


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_can_read_its_script(tmp_path: Path) -> None:
    script = run_child([sys.executable, "-m", "l3embed", "completion", "bash"]).stdout
    subprocess.run(["bash", "-c", f"{script}\ncomplete -p l3embed"], check=True, capture_output=True)
