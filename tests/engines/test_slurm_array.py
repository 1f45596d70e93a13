"""Jobs of an array and the last one behind it, as processes of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from l3embed.engines.contract import EngineOptions
from l3embed.engines.slurm_array import SlurmEngine
from l3embed.errors import OpenL3Error

pytest.importorskip("submitit")

WRITE = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('done')"
GATHER = """
import sys, pathlib
folder = pathlib.Path(sys.argv[1])
(folder / "all").write_text(str(len(list(folder.glob("part-*")))))
"""
FAIL = "import sys; sys.exit('l3embed-pipeline: error: There is no file.')"


def python(program: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", program, *map(str, arguments)]


def engine(**job: object) -> SlurmEngine:
    return SlurmEngine(EngineOptions(executor="local", job=tuple({"timeout_min": 5, **job}.items())))


def test_the_last_command_finds_what_all_others_have_left(tmp_path: Path) -> None:
    commands = [python(WRITE, tmp_path / f"part-{number}") for number in range(3)]
    engine().run(commands, python(GATHER, tmp_path), tmp_path / "logs")
    assert (tmp_path / "all").read_text() == "3"


def test_a_command_that_fails_is_named_with_its_reason_and_its_log(tmp_path: Path) -> None:
    commands = [python(WRITE, tmp_path / "part-0"), python(FAIL)]
    with pytest.raises(OpenL3Error, match=r"1 job of 2 failed\. .*There is no file\. Its log: .*logs"):
        engine().run(commands, python(GATHER, tmp_path), tmp_path / "logs")
    assert (tmp_path / "part-0").is_file()
    assert not (tmp_path / "all").exists()


def test_what_submitit_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"The jobs could not be submitted: .*no_such_thing.*engine\.job"):
        engine(no_such_thing=1).run([python(FAIL)], python(FAIL), tmp_path / "logs")


def test_where_there_is_no_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OpenL3Error, match=r"The jobs could not be submitted: .*srun.*slurm cluster"):
        SlurmEngine(EngineOptions()).run([python(FAIL)], python(FAIL), tmp_path / "logs")
