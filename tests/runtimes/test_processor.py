"""What the processor has: how many threads to use, and which short types it multiplies."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from joblib.externals.loky.backend import context

from l3embed.runtimes import processor
from l3embed.runtimes.processor import available_threads, has_bfloat16, has_int8

QUOTA_FILE = "/sys/fs/cgroup/cpu.max"


def test_as_many_threads_as_asked_for() -> None:
    assert available_threads(7) == 7


def test_else_as_many_as_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")

    assert available_threads() == 1


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes have no affinity here")
def test_no_more_than_the_cores_that_it_is_bound_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    monkeypatch.setattr(context, "_cpu_count_cgroup", lambda cores: cores)

    assert available_threads() == 3


def test_no_more_than_a_container_s_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a million microseconds in each tenth of a second are two cores and a half."""

    def open_file(path: str) -> io.StringIO:
        assert path == QUOTA_FILE
        return io.StringIO("250000 100000\n")

    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(context, "_cpu_count_affinity", lambda cores: cores)
    monkeypatch.setattr(os.path, "exists", lambda path: path == QUOTA_FILE)
    monkeypatch.setattr(context, "open", open_file, raising=False)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)

    assert available_threads() == 3


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
