"""Claims: who computes what, also when processes are killed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from select import select
from typing import Any

import pytest

from l3embed.store.claims import Claims

from .conftest import another_process, first_line, open_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

TAKE = """
import sys
from pathlib import Path
from l3embed.store.claims import Claims
claims = Claims(Path(sys.argv[1]))
print(*[claims.take(key) for key in sys.argv[2:]], flush=True)
sys.stdin.read()
"""

ENTER = """
import sys
from pathlib import Path
from l3embed.store.claims import Claims
claims = Claims(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
claims.enter()
print("entered", flush=True)
sys.stdin.readline()
claims.leave()
print("left", flush=True)
sys.stdin.read()
"""

KEYS = ["a" * 64, "b" * 64]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "claims.lock"


def test_a_key_that_another_process_has_is_not_taken(path: Path) -> None:
    with another_process(TAKE, path, KEYS[0]) as process:
        assert first_line(process) == "True"
        claims = Claims(path)
        assert not claims.take(KEYS[0])
        assert claims.take(KEYS[1])


def test_a_key_of_a_killed_process_is_free(path: Path) -> None:
    with another_process(TAKE, path, *KEYS) as process:
        assert first_line(process) == "True True"
        process.kill()
        process.wait()
        assert Claims(path).take(KEYS[0])


def test_another_process_has_a_key_once_it_is_released(path: Path) -> None:
    claims = Claims(path)
    claims.take(KEYS[0])
    claims.take(KEYS[1])
    claims.release(KEYS[0])
    with another_process(TAKE, path, *KEYS) as process:
        assert first_line(process) == "True False"


def test_all_keys_can_be_released_at_once(path: Path) -> None:
    claims = Claims(path)
    for key in KEYS:
        claims.take(key)
    claims.release_all()
    with another_process(TAKE, path, *KEYS) as process:
        assert first_line(process) == "True True"


def test_a_process_takes_a_key_once(path: Path) -> None:
    claims = Claims(path)
    assert claims.take(KEYS[0])
    assert not claims.take(KEYS[0])
    claims.release(KEYS[0])
    assert claims.take(KEYS[0])


def test_releasing_what_is_not_held_changes_nothing(path: Path) -> None:
    with another_process(TAKE, path, KEYS[0]) as process:
        first_line(process)
        claims = Claims(path)
        claims.release(KEYS[0])
        assert not claims.take(KEYS[0])


def test_claims_of_one_file_in_one_process_do_not_drop_each_other(path: Path) -> None:
    claims = Claims(path)
    claims.take(KEYS[0])
    other = Claims(path)
    other.take(KEYS[1])
    other.release_all()
    del other
    with another_process(TAKE, path, *KEYS) as process:
        assert first_line(process) == "False True"


def test_a_thousand_claims_take_one_file_descriptor(path: Path) -> None:
    before = open_files()
    claims = [Claims(path) for _ in range(10)]
    for number in range(1000):
        assert claims[number % 10].take(f"{number:064x}")
    assert open_files() <= before + 1


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EAGAIN], ids=errno.errorcode.get)
def test_either_answer_of_a_system_means_that_another_has_the_key(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    monkeypatch.setattr("l3embed.store.claims.fcntl.lockf", _raising(fault))
    assert not Claims(path).take(KEYS[0])


@pytest.mark.parametrize("fault", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP], ids=errno.errorcode.get)
def test_where_nothing_can_be_locked_every_run_computes_for_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    monkeypatch.setattr("l3embed.store.claims.fcntl.lockf", _raising(fault))
    claims = Claims(path)
    claims.enter()
    assert claims.take(KEYS[0])
    claims.release_all()
    claims.leave()
    with claims.alone() as is_alone:
        assert not is_alone


def test_a_fault_of_the_disk_is_no_answer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l3embed.store.claims.fcntl.lockf", _raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        Claims(path).take(KEYS[0])


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def wait_until_entered(process: subprocess.Popen[str]) -> None:
    assert first_line(process) == "ready"
    go_on(process)
    assert first_line(process) == "entered"


def test_nobody_is_alone_with_a_process_that_has_entered(path: Path) -> None:
    with another_process(ENTER, path) as process:
        wait_until_entered(process)
        with Claims(path).alone() as is_alone:
            assert not is_alone


def test_a_killed_process_has_left(path: Path) -> None:
    with another_process(ENTER, path) as process:
        wait_until_entered(process)
        process.kill()
        process.wait()
        with Claims(path).alone() as is_alone:
            assert is_alone


def test_a_process_that_left_leaves_others_alone(path: Path) -> None:
    with another_process(ENTER, path) as process:
        wait_until_entered(process)
        go_on(process)
        assert first_line(process) == "left"
        with Claims(path).alone() as is_alone:
            assert is_alone


def test_two_may_enter(path: Path) -> None:
    Claims(path).enter()
    with another_process(ENTER, path) as process:
        wait_until_entered(process)


def test_who_enters_waits_for_one_that_is_alone(path: Path) -> None:
    with ExitStack() as being_alone:
        assert being_alone.enter_context(Claims(path).alone())
        with another_process(ENTER, path) as process:
            assert first_line(process) == "ready"
            go_on(process)
            assert not select([process.stdout], [], [], 0.5)[0]  # type: ignore[type-var]
            being_alone.close()
            assert first_line(process) == "entered"


def _raising(fault: int) -> Any:
    def lockf(*arguments: object) -> None:
        raise OSError(fault, os.strerror(fault))

    return lockf


def test_a_lock_file_that_cannot_be_opened_keeps_nobody_waiting(path: Path) -> None:
    path.mkdir(parents=True)
    claims = Claims(path)
    claims.enter()
    assert claims.take(KEYS[0])
    claims.release_all()
    with claims.alone() as is_alone:
        assert not is_alone
