"""The benchmarks' arithmetic, their table and their frame; and that all of them still run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import NEEDS_TORCH, run_child

from l3embed.variants import AudioVariant, Device, ImageVariant, InputRepr, Precision

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="module")
def _benchmarks_can_be_imported() -> Iterator[None]:
    """They lie beside the package, not in it."""
    with pytest.MonkeyPatch.context() as path:
        path.syspath_prepend(str(ROOT))
        yield


def check(**changes: Any) -> Any:
    from benchmarks.report import Check

    figures = {"what": "speed", "goal": 2, "got": 2.5, "unit": "x naive", "at_least": True, "how": "1 round"}
    return Check(**{**figures, "label": "speed", **changes})


def result(*checks: Any, **figures: Any) -> dict[str, Any]:
    return {"checks": [vars(each) for each in checks], "figures": figures, "machine": machine(), "seconds": 1}


def machine(processor: str = "Some CPU") -> dict[str, Any]:
    return {
        "date": "2026-01-02",
        "processor": processor,
        "flags": ["avx512_bf16"],
        "cores": 2,
        "blas": "",
        "python": "3.11.0",
        "versions": {"numpy": "2.0"},
    }


def test_operations_are_those_of_a_count_by_hand() -> None:
    from benchmarks.operations import operations

    # mel128: (128, 199), halved behind each block without the odd column; filters 64, 128, 256, 512.
    places = [128 * 199, 64 * 99, 32 * 49, 16 * 24]
    weights = [
        9 * (1 * 64 + 64 * 64),
        9 * (64 * 128 + 128**2),
        9 * (128 * 256 + 256**2),
        9 * (256 * 512 + 512**2),
    ]
    by_hand = 2 * sum(place * weight for place, weight in zip(places, weights, strict=True))
    assert operations(AudioVariant(InputRepr.MEL128)) == by_hand


def test_operations_do_not_depend_on_the_head() -> None:
    from benchmarks.operations import operations

    assert operations(ImageVariant(embedding_size=512)) == operations(ImageVariant())


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "reached"),
        ({"got": 2.0}, "reached"),
        ({"got": 1.99}, "falls short"),
        ({"at_least": False}, "falls short"),
        ({"at_least": False, "got": -3}, "reached"),
        ({"got": None}, "not measured here"),
    ],
)
def test_a_goal_is_reached_or_not(changes: dict[str, Any], verdict: str) -> None:
    assert check(**changes).verdict.value == verdict


def test_ratios_are_those_of_the_same_round() -> None:
    from benchmarks.rounds import middle, ratios, spread

    # The machine was half as fast in the second round: the ratio stays.
    assert middle(ratios([10, 20, 12], [5, 10, 4])) == 2
    assert spread([2, 2, 3]) == "median of 3 rounds, 2.00 to 3.00"


def test_measurements_run_in_turns() -> None:
    from benchmarks.rounds import side_by_side

    order: list[str] = []
    seconds = side_by_side({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert {name: len(each) for name, each in seconds.items()} == {"a": 2, "b": 2}


def test_a_process_is_measured_by_itself() -> None:
    # By a process that is small: this one may hold more than that which is measured.
    measured = "import time; held = bytearray(300_000_000); time.sleep(0.3); print('done')"
    measuring = (
        "import json, sys; from dataclasses import asdict; from benchmarks.processes import run_python; "
        "print(json.dumps(asdict(run_python('-c', sys.argv[1]))))"
    )
    command = [sys.executable, "-c", measuring, measured]
    run = json.loads(run_child(command, cwd=ROOT).stdout)
    assert run["output"] == "done\n"
    assert run["seconds"] >= 0.3
    assert 300 < run["peak_mb"] < 400


def test_a_failed_process_is_no_measurement() -> None:
    from benchmarks.processes import run_python

    with pytest.raises(subprocess.CalledProcessError, match="status 3"):
        run_python("-c", "raise SystemExit(3)")


def test_the_table_has_a_row_for_each_goal_with_its_command() -> None:
    from benchmarks.tables import goals

    row = goals({"images": result(check(how="a | b"))}).splitlines()[2]
    assert row.startswith(r"| speed | at least 2 x naive | **2.5** x naive | reached | a \| b |")
    assert row.endswith("| `python -m benchmarks --only images` |")


def test_what_falls_short_says_why() -> None:
    from benchmarks.tables import reasons

    found = {"images": result(check(), check(what="memory", got=1), check(what="time", got=None))}
    assert reasons(found, {"memory": "Because."}).splitlines() == [
        "- **memory** (falls short): Because.",
        "- **time** (not measured here): Nobody has written down why yet.",
    ]


def test_rates_stand_beside_the_bare_network_and_the_peak() -> None:
    from benchmarks.tables import throughput

    figures = {
        "naive": [10.0, 12.0, 11.0],
        "whole_float32": [19.0],
        "bare_ncnn_float32": [30.0],
        "bare_openvino_float32": [20.0],
        "bare_keras_float32": [15.0],
        "peak_gflops": {"float32": 250},
        "operations": 10_000_000_000,
    }
    assert throughput({"steady_mel128": result(**figures)}).splitlines()[2] == (
        "| mel128/6144 | float32 | 11.0 | 19.0 | 30.0 | 20.0 | 15.0 | 250 | 25.0 | 63 % | 120 % |"
    )


def test_speed_and_memory_stand_by_the_number_of_threads() -> None:
    from benchmarks.tables import threads

    figures = {"ncnn_2": {"items_s": [30.0, 10.0, 20.0], "peak_mb": 1234}}
    assert threads({"threads": result(**figures)}).splitlines()[2] == "| ncnn | 2 | 20.0 | 1,234 |"


def test_without_a_gpu_the_table_says_so() -> None:
    from benchmarks.tables import gpu

    assert gpu({"gpu": result(device=None)}).startswith("There was no GPU")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["keras", pytest.param("torch", marks=NEEDS_TORCH)])
def test_a_gpu_s_rows_are_measured_and_drawn(runtime: str) -> None:
    """On the CPU, which stands in for one."""
    from benchmarks.rows.gpu import measure_on
    from benchmarks.sizes import SHORT
    from benchmarks.tables import gpu

    sizes = replace(SHORT, bare_items=2, product_side=64, rounds=1)
    report = measure_on(runtime, Device.CPU, [Precision.FLOAT32], sizes)

    figures = report.figures
    figures["peak_gflops"]["bfloat16"] = 1.0
    for rates in figures["items_per_s"].values():
        rates["bfloat16"] = rates["float32"]
    table = gpu({"gpu": result(**figures)})
    assert f"runtime {runtime};" in table
    assert table.count("the whole way, frontend") == 2


def test_an_unmeasured_gpu_is_none_that_was_looked_for() -> None:
    from benchmarks.tables import gpu

    assert gpu({}) == "This has not been measured."


def test_figures_of_several_machines_are_told_apart() -> None:
    from benchmarks.tables import machines

    found = {"images": result(), "count": {**result(), "machine": machine("Another CPU")}}
    first, second = machines(found).splitlines()
    assert first.startswith("- images: Some CPU, 2 cores (AMX no, AVX512_BF16 yes)")
    assert second.startswith("- count: Another CPU")


def test_only_what_is_between_the_marks_changes() -> None:
    from benchmarks.readme import BEGIN, END, fill

    once = fill(f"before\n{BEGIN}\nold\n{END}\nbehind\n", "new")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nbehind\n"
    assert fill(once, "new") == once


@pytest.mark.parametrize("marks", ["", "{0}", "{1}{0}", "{0}{1}{1}"])
def test_a_frame_without_its_marks_is_refused(marks: str) -> None:
    from benchmarks.readme import BEGIN, END, fill

    with pytest.raises(ValueError, match="each once"):
        fill(marks.format(BEGIN, END), "new")


def test_the_readme_has_the_figures_of_the_results() -> None:
    from benchmarks import readme, results

    folder = ROOT / "benchmarks"
    text = (folder / readme.FILE).read_text(encoding="utf-8")
    found = results.read(folder)
    why = json.loads(readme.WHY_FILE.read_text(encoding="utf-8"))
    assert readme.fill(text, readme.sections(found, why)) == text


def test_all_that_is_written_about_is_measured() -> None:
    from benchmarks import readme, results

    why = json.loads(readme.WHY_FILE.read_text(encoding="utf-8"))
    found = results.read(ROOT / "benchmarks")
    assert set(why) <= {each.what for result in found.values() for each in results.checks(result)}


STAGE_ROW = """<th scope="row">embed</th>
<td class="number">5</td> <td class="number">{computed}</td> <td class="number">{reused}</td>
<td class="number bad">{failed}</td> <td class="number">{time}</td> <td class="number">{speed}</td>"""
UNDISTURBED = {
    "export/manifest.csv": "path,frames,seconds\na.wav,3,0.25\n",
    "metrics/embed.json": '{"computed": 5, "reused": 0, "failed": 1, "seconds": 2.0, "items_per_s": 9.5}',
    "report/index.html": STAGE_ROW.format(computed=5, reused=0, failed=1, time="2.0 s", speed="9.5 items/s"),
    "audio.npz": "bytes",
    ".hydra/config.yaml": "some",
}
KILLED = {
    "export/manifest.csv": "path,frames,seconds\na.wav,3,0.75\n",
    "metrics/embed.json": '{"computed": 2, "reused": 3, "failed": 1, "seconds": 1.0}',
    "report/index.html": STAGE_ROW.format(computed=2, reused=3, failed=1, time="1.0 s", speed=""),
    "audio.npz": "bytes",
    ".hydra/config.yaml": "others",
}
"""What a run leaves that was killed and went on: what took how long and what was reused are others."""


def differences_of(folder: Path, killed: dict[str, str]) -> list[str]:
    from benchmarks.kept_outputs import differences, outputs

    for name, files in (("undisturbed", UNDISTURBED), ("killed", killed)):
        for file, content in files.items():
            path = folder / name / "run" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return differences(outputs(folder / "killed", ["run"]), outputs(folder / "undisturbed", ["run"]))


def test_time_and_what_was_reused_tell_no_outputs_apart(tmp_path: Path) -> None:
    assert differences_of(tmp_path, KILLED) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("export/manifest.csv", "path,frames,seconds\na.wav,4,0.25\n"),
        ("metrics/embed.json", '{"computed": 2, "reused": 2, "failed": 1, "seconds": 2.0}'),
        ("report/index.html", KILLED["report/index.html"].replace('bad">1<', 'bad">2<')),
        ("audio.npz", "other bytes"),
    ],
)
def test_anything_else_does(tmp_path: Path, name: str, content: str) -> None:
    assert differences_of(tmp_path, {**KILLED, name: content}) == [f"run/{name} is another"]


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "altered"])
def test_a_seal_has_to_be_right_whatever_it_seals(tmp_path: Path, is_whole: bool) -> None:
    from benchmarks.kept_outputs import outputs
    from l3embed.disk.seals import seal

    found = []
    for name, seconds in (("undisturbed", "0.25"), ("killed", "0.75")):
        path = tmp_path / name / "run" / "manifest.csv"
        path.parent.mkdir(parents=True)
        path.write_text(f"path,seconds\na.wav,{seconds}\n")
        seal(path)
        if name == "killed" and not is_whole:
            path.write_text("path,seconds\na.wav,0.85\n")
        found.append(outputs(tmp_path / name, ["run"]))
    assert (found[0] == found[1]) == is_whole


def test_what_is_missing_or_too_many_is_named(tmp_path: Path) -> None:
    killed = {name: content for name, content in KILLED.items() if name != "audio.npz"}
    assert differences_of(tmp_path, {**killed, "image.npz": ""}) == [
        "run/audio.npz is missing",
        "run/image.npz is too many",
    ]


def test_a_temporary_file_is_found(tmp_path: Path) -> None:
    from benchmarks.kept_outputs import temporary_files

    (tmp_path / "run" / "export").mkdir(parents=True)
    for name in ("a.npz", ".0123456789abcdef.tmp"):
        (tmp_path / "run" / "export" / name).touch()
    assert temporary_files(tmp_path, ["run"]) == ["run/export/.0123456789abcdef.tmp"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_fetches_are_counted_and_leave_what_undisturbed_ones_do() -> None:
    command = [sys.executable, "-m", "benchmarks.kills", "--kills", "3", "--only", "weight fetches"]
    kind, total = run_child(command, cwd=ROOT).stdout.splitlines()[1:]
    name, kills, equal, differing = kind.rsplit(maxsplit=3)
    assert (name, kills, differing) == ("weight fetches", "3", "0")
    assert int(equal) >= 2
    assert total.split()[1:] == [kills, equal, differing]


@pytest.mark.slow
def test_a_benchmark_runs_in_its_short_form(tmp_path: Path) -> None:
    before = (ROOT / "benchmarks" / "README.md").read_bytes()
    command = [sys.executable, "-m", "benchmarks", "--short", "--only", "pipeline", "length"]
    run_child([*command, "--output", tmp_path], cwd=ROOT)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert list(found) == ["pipeline", "length"]
    assert "network busy" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "benchmarks.png").stat().st_size > 10_000
    assert (ROOT / "benchmarks" / "README.md").read_bytes() == before
