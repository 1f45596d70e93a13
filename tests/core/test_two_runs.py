"""Two runs that write the same outputs: one of them waits, and nothing is computed twice or lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import WriteWav
from store.conftest import another_process, first_line

from l3embed import process_audio_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

WRITING = """
import sys
from l3embed.store.claims import PathClaims
claims = PathClaims()
print(*[claims.take(path) for path in sys.argv[1:]], flush=True)
sys.stdin.read()
"""


@contextmanager
def another_run(*outputs: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is computing some outputs."""
    with another_process(WRITING, *outputs) as process:
        assert "False" not in first_line(process)
        yield process


@pytest.fixture
def when_waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[str]]:
    """Have something done as soon as it is said that the other run is waited for; what is said is kept."""

    def do(action: Callable[[], object]) -> list[str]:
        said: list[str] = []

        def say(message: str) -> None:
            said.append(message)
            if message.startswith("Waiting"):
                action()

        monkeypatch.setattr("l3embed.core.claimed_outputs.say", say)
        return said

    return do


def embedding_in(path: Path) -> Any:
    return np.load(path)["embedding"]


def test_what_another_run_has_written_meanwhile_is_skipped(
    write_wav: WriteWav, tiny_model: Any, when_waiting: Any
) -> None:
    ours, theirs = write_wav("a.wav"), write_wav("b.wav")
    output = theirs.with_suffix(".npz")
    with another_run(output) as process:

        def finish() -> None:
            assert ours.with_suffix(".npz").exists()  # all else is done first
            output.write_text("theirs")
            process.kill()

        said = when_waiting(finish)
        process_audio_file([str(theirs), str(ours)], model=tiny_model)

    assert output.read_text() == "theirs"
    assert said[0] == "Waiting for another run that is writing 1 of these outputs."
    assert said[1:] == [f"{output} exists: {theirs} is skipped (overwriting is off)."]


def test_what_a_killed_run_has_left_is_computed(
    write_wav: WriteWav, tiny_model: Any, when_waiting: Any
) -> None:
    path = write_wav("a.wav")
    with another_run(path.with_suffix(".npz")) as process:
        said = when_waiting(process.kill)
        process_audio_file(str(path), model=tiny_model, verbose=False)

    assert len(said) == 1
    assert embedding_in(path.with_suffix(".npz")).any()


def test_what_is_to_be_overwritten_is_computed_after_the_other_run(
    write_wav: WriteWav, tiny_model: Any, when_waiting: Any
) -> None:
    path = write_wav("a.wav")
    output = path.with_suffix(".npz")
    with another_run(output) as process:

        def finish() -> None:
            output.write_text("theirs")
            process.kill()

        when_waiting(finish)
        process_audio_file(str(path), model=tiny_model, overwrite=True, verbose=False)

    assert embedding_in(output).any()


def test_an_output_is_let_go_of_when_it_is_there(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("a.wav")
    process_audio_file(str(path), model=tiny_model, verbose=False)

    with another_run(path.with_suffix(".npz")):
        pass


def test_nothing_is_left_beside_the_outputs(write_wav: WriteWav, tiny_model: Any, tmp_path: Path) -> None:
    path = write_wav("a.wav")
    process_audio_file(str(path), model=tiny_model, verbose=False)

    assert sorted(tmp_path.iterdir()) == [path.with_suffix(".npz"), path]


def test_without_a_place_for_the_lock_file_files_are_embedded_all_the_same(
    write_wav: WriteWav, tiny_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "file" / "cache"))
    path = write_wav("a.wav")
    process_audio_file(str(path), model=tiny_model, verbose=False)

    assert embedding_in(path.with_suffix(".npz")).any()
