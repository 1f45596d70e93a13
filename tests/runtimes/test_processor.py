"""What the processor has: how many threads to use, and which short types it multiplies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from l3embed.errors import OpenL3Error
from l3embed.runtimes import processor
from l3embed.runtimes.processor import available_threads, has_bfloat16, has_int8


def test_as_many_threads_as_asked_for() -> None:
    assert available_threads(7) == 7


def test_else_as_many_as_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")

    assert available_threads() == 1


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system of 64 cores without a quota; a folder for the files of one."""
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    monkeypatch.setattr(processor, "QUOTA_FILE", tmp_path / "cpu.max")
    older = (tmp_path / "cpu.cfs_quota_us", tmp_path / "cpu.cfs_period_us")
    monkeypatch.setattr(processor, "OLDER_QUOTA_FILES", older)
    return tmp_path


@pytest.mark.usefixtures("many_cores")
def test_no_more_than_the_cores_that_it_is_bound_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})

    assert available_threads() == 3


@pytest.mark.usefixtures("many_cores")
def test_all_cores_where_processes_are_bound_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")

    assert available_threads() == 64


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.cfs_quota_us": "250000\n", "cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, 64),
        ({"cpu.cfs_quota_us": "250000\n"}, 64),
        ({"cpu.max": ""}, 64),
        ({}, 64),
    ],
    ids=[
        "two and a half",
        "half a core",
        "none",
        "older",
        "older, none",
        "older, in part",
        "empty",
        "no files",
    ],
)
def test_no_more_than_a_container_s_quota(files: dict[str, str], threads: int, many_cores: Path) -> None:
    """A quarter of a million microseconds in each tenth of a second are two cores and a half."""
    for name, text in files.items():
        (many_cores / name).write_text(text)

    assert available_threads() == threads


@pytest.mark.parametrize("allowed", [None, "1", "1000", "0"])
def test_it_is_what_joblib_says(allowed: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if allowed is None:
        monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    else:
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", allowed)

    assert available_threads() == joblib.cpu_count()


def test_what_is_no_number_of_cores_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "all")

    with pytest.raises(OpenL3Error, match="LOKY_MAX_CPU_COUNT must be a whole number of cores; got 'all'"):
        available_threads()


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    for asked in (has_bfloat16, has_int8):
        asked.cache_clear()
    yield
    for asked in (has_bfloat16, has_int8):
        asked.cache_clear()


def cpu_info(*flags: str) -> str:
    """As Linux writes it: the same for each core."""
    core = (
        f"processor\t: 0\nmodel name\t: A processor with amx_bf16\nflags\t\t: fpu {' '.join(flags)} aes\n\n"
    )
    return 2 * core


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(cpu_info("amx_tile", "amx_bf16"), True, id="AMX"),
        pytest.param(cpu_info("avx512_bf16"), True, id="AVX-512"),
        pytest.param(cpu_info("avx_ne_convert"), True, id="AVX2"),
        pytest.param(cpu_info("avx512f", "avx512vl"), False, id="AVX-512 without"),
        pytest.param("Processor\t: ARM\nFeatures\t: fp asimd\n", False, id="no flags"),
    ],
)
def test_bfloat16_is_what_linux_says(
    text: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", path)

    assert has_bfloat16() is expected


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(cpu_info("amx_tile", "amx_int8"), True, id="AMX"),
        pytest.param(cpu_info("avx512_vnni"), True, id="AVX-512"),
        pytest.param(cpu_info("avx_vnni"), True, id="AVX2"),
        pytest.param(cpu_info("avx2", "avx512f", "avx512_bf16"), False, id="AVX-512 without"),
        pytest.param("Processor\t: ARM\nFeatures\t: fp asimd asimddp\n", True, id="ARM"),
        pytest.param("Processor\t: ARM\nFeatures\t: fp asimd\n", False, id="ARM without"),
    ],
)
def test_int8_is_what_linux_says(
    text: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", path)

    assert has_int8() is expected
