"""``l3embed completion``: scripts for shells, and what they are answered."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from conftest import run_child

from l3embed.cli.completion import SHELLS
from l3embed.cli.main import main


@pytest.mark.parametrize(
    ("shell", "says"),
    [
        ("bash", "complete -o nospace"),
        ("zsh", "#compdef l3embed l3embed-params l3embed-pipeline"),
        ("fish", "complete --command l3embed"),
    ],
)
def test_each_shell_has_its_script(shell: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert says in capsys.readouterr().out


def test_another_shell_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "cmd"])
    assert "invalid choice: 'cmd'" in capsys.readouterr().err


def completions(line: str, folder: Path, module: str = "l3embed.cli.main") -> list[str]:
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
    run_child([sys.executable, "-c", f"from {module} import main; main()"], env=asking)
    return [word.strip() for word in answer.read_text().splitlines()]


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completions("l3embed wei", tmp_path) == ["weights"]


def test_choices_of_an_option_are_completed(tmp_path: Path) -> None:
    found = completions("l3embed audio --input-repr m", tmp_path)
    assert found == ["mel128", "mel256"]


@pytest.mark.parametrize("module", ["l3embed.app.params", "l3embed.app.run"])
def test_settings_are_completed(module: str, tmp_path: Path) -> None:
    assert completions("any windows.h", tmp_path, module) == ["windows.hop_s="]


def test_the_options_of_a_sweep_are_completed(tmp_path: Path) -> None:
    assert completions("any --m", tmp_path, "l3embed.app.run") == ["--multirun"]


@pytest.mark.parametrize("module", ["l3embed.app.params", "l3embed.app.run"])
def test_completing_settings_waits_for_nothing_heavy(module: str) -> None:
    program = (
        f"import sys, {module}\nfrom l3embed.app.schema_file import complete_override\n"
        "complete_override('model=')\nprint(*sys.modules)"
    )
    loaded = {name.split(".")[0] for name in run_child([sys.executable, "-c", program]).stdout.split()}
    assert not loaded & {"hydra", "omegaconf", "yaml", "numpy"}


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """An environment whose shells find the three commands, each of this source."""
    folder = tmp_path / "bin"
    folder.mkdir()
    modules = {"l3embed": "cli.main", "l3embed-params": "app.params", "l3embed-pipeline": "app.run"}
    for name, module in modules.items():
        command = f'#!/bin/sh\nexec "{sys.executable}" -c "from l3embed.{module} import main; main()" "$@"\n'
        (folder / name).write_text(command)
        (folder / name).chmod(0o755)
    script = folder / "script"
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "SCRIPT": str(script)}


def script_of(shell: str) -> str:
    return run_child([sys.executable, "-m", "l3embed", "completion", shell]).stdout


LINES = [
    ("l3embed wei", "weights"),
    ("l3embed audio --input-repr li", "linear"),
    ("l3embed-params windows.h", "windows.hop_s="),
    ("l3embed-pipeline -m labels=r", "labels=raven"),
]

ASK = {
    # bash replaces what stands behind a sign that breaks words.
    "bash": """
        . "$SCRIPT"; COMP_LINE=$LINE COMP_POINT=${#LINE} _python_argcomplete ${LINE%% *}
        before=${LINE##* }; case $before in *=*) printf %s "${before%%=*}=";; esac; echo "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { :; }; _describe() { print -r -- ${(P)2%%:*}; }; . "$SCRIPT"
        BUFFER=$LINE CURSOR=${#LINE}; words=(${=LINE}); _python_argcomplete
    """,
    "fish": """source $SCRIPT; complete -C $LINE""",
}
"""What has each shell say how it would go on with ``$LINE``."""


@pytest.mark.parametrize(("line", "word"), LINES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_goes_on_with_what_is_meant(
    shell: str, line: str, word: str, commands: dict[str, str]
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    Path(commands["SCRIPT"]).write_text(script_of(shell))
    quick = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    answer = run_child([shell, *quick, "-c", ASK[shell]], env={**commands, "LINE": line}).stdout
    assert answer.split()[:1] == [word]
