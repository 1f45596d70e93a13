"""Each stage of ``dvc.yaml`` depends on the modules that it uses, and on no others."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from l3embed.store.code import STEPS
from l3embed.store.recipe import Step

from .conftest import REPOSITORY

SOURCE = REPOSITORY / "src" / "l3embed"

NOT_DECIDING = (
    *("disk/atomic.py", "disk/checksums.py", "disk/folders.py", "disk/json_files.py"),
    *("disk/leftovers.py", "disk/seals.py", "disk/tables.py"),
    *("errors.py", "profiling.py", "progress", "store", "version.py"),
    *("listings", "stages/dataset.py", "stages/dataset_input.py", "stages/forecast.py"),
    *("stages/input_digests.py", "stages/listed_inputs.py", "stages/metrics.py", "stages/opening.py"),
    *("stages/output_folder.py", "stages/planning.py", "stages/results.py"),
)
"""Which inputs there are, where results are kept, how a run tells of itself: none of it is in a result."""

IMPORTED_FOR_OTHERS: dict[str, tuple[str, ...]] = {
    "sample": (),
    "weights": (),
    # `available_threads` and `map_ahead` say how many files are read at once.
    "preprocess": ("runtimes",),
    # It reads what was preprocessed, and weights from data/weights, that earlier stages wrote.
    "embed": ("decoding", "weights"),
    "export": ("models", "networks", "weights"),
    # Embeddings say what they were computed with in words of theirs.
    "evaluate": ("models", "networks", "weights"),
    "report": ("frontends",),
}
"""Folders that a stage's modules import from, and that have no part in its result."""

CHECK = "check"

ENTRY_POINTS = {
    "sample": "sample/__init__.py",
    "weights": "stages/weights.py",
    "preprocess": "stages/preprocess.py",
    "embed": "stages/embed.py",
    "export": "stages/export.py",
    "evaluate": "stages/evaluate.py",
    "report": "stages/report.py",
}

STAGE_OF_STEP = {
    Step.PREPROCESS: "preprocess",
    Step.EMBED: "embed",
    Step.POOL: "export",
    Step.PREVIEW: "report",
}
"""The stage that takes each step."""


@cache
def all_stages() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in content.items()}


def stages() -> dict[str, Any]:
    """All but the one that checks, which depends on everything."""
    return {name: stage for name, stage in all_stages().items() if name != CHECK}


def listed(stage: str) -> set[str]:
    """The folders and modules of the package that a stage names."""
    chosen = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    names = [
        name.replace("${labels.definition}", chosen["labels"]["definition"])
        .replace("${weights.definition}", chosen["weights"]["definition"])
        .replace("${evaluation.definition}", chosen["evaluation"]["definition"])
        for name in stages()[stage]["deps"]
    ]
    return {name.removeprefix("src/l3embed/") for name in names if name.startswith("src/")}


def within(file: str, places: Iterable[str]) -> bool:
    """Whether a file is one of some folders and files, or lies in one."""
    return any(file == place or file.startswith(f"{place}/") for place in places)


def used_files(stage: str) -> set[str]:
    """The files of the package that a stage's modules import, directly or through others."""
    used: set[Path] = set()
    waiting = [SOURCE / ENTRY_POINTS[stage]]
    while waiting:
        path = waiting.pop()
        if path not in used:
            used.add(path)
            # What decides about nothing is not followed: the store knows of all runtimes, for one.
            if path.suffix == ".py" and not within(path.relative_to(SOURCE).as_posix(), NOT_DECIDING):
                waiting += [*imported_files(path), *data_files(path)]
    return {path.relative_to(SOURCE).as_posix() for path in used if not is_empty_package(path)}


def imported_files(path: Path) -> list[Path]:
    """The modules of the package that a module imports, at its top or in functions, not for types only."""
    found = []
    for node in executed_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "l3embed":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [module_file(name) or module_file(str(node.module)) for name in names]
        elif isinstance(node, ast.Import):
            found += [module_file(alias.name) for alias in node.names if alias.name.startswith("l3embed")]
        elif isinstance(node, ast.Constant) and str(node.value).startswith("l3embed."):  # a row of a table
            found.append(module_file(str(node.value)))
    return [file for file in found if file]


def executed_nodes(node: ast.AST) -> list[ast.AST]:
    """All nodes but those that only a type checker looks at."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return []
    return [node, *(inner for child in ast.iter_child_nodes(node) for inner in executed_nodes(child))]


def module_file(name: str) -> Path | None:
    path = SOURCE.parent.joinpath(*name.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def data_files(path: Path) -> list[Path]:
    """The files next to a module, other than modules, that it names."""
    source = path.read_text(encoding="utf-8")
    neighbours = [file for file in path.parent.iterdir() if file.is_file() and file.suffix != ".py"]
    return [file for file in neighbours if file.name in source]


def is_empty_package(path: Path) -> bool:
    """Whether a file is an ``__init__.py`` that holds a docstring alone."""
    return path.name == "__init__.py" and len(ast.parse(path.read_text(encoding="utf-8")).body) <= 1


def test_every_stage_is_looked_at() -> None:
    assert set(stages()) == set(ENTRY_POINTS) == set(IMPORTED_FOR_OTHERS)


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_a_stage_depends_on_what_it_uses(stage: str) -> None:
    places = (*listed(stage), *NOT_DECIDING, *IMPORTED_FOR_OTHERS[stage])
    assert not [file for file in used_files(stage) if not within(file, places)]


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_a_stage_depends_on_nothing_that_it_does_not_use(stage: str) -> None:
    used = used_files(stage)
    assert not [place for place in listed(stage) if not any(within(file, [place]) for file in used)]


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_the_exceptions_are_needed(stage: str) -> None:
    left = [file for file in used_files(stage) if not within(file, (*listed(stage), *NOT_DECIDING))]
    assert not [
        place for place in IMPORTED_FOR_OTHERS[stage] if not any(within(file, [place]) for file in left)
    ]


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_results_are_kept_by_the_code_that_their_stage_depends_on(step: Step) -> None:
    places = listed(STAGE_OF_STEP[step])
    assert not [source for source in STEPS[step].sources if not within(source, places)]


@pytest.mark.parametrize("step", [Step.PREPROCESS, Step.EMBED], ids=lambda step: step.value)
def test_no_code_that_changes_a_result_is_left_out_of_its_key(step: Step) -> None:
    left_out = listed(STAGE_OF_STEP[step]) - set(STEPS[step].sources)
    assert not [place for place in left_out if not within(place, NOT_DECIDING)]


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_no_stage_depends_on_what_changes_no_result(stage: str) -> None:
    named = stages()[stage].get("params", [])
    assert not [
        name for name in named if name.startswith(("device", "weights.base_url", "weights.definition"))
    ]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("weights", {"data/check"}),
        ("preprocess", {"data/check"}),
        ("embed", {"data/preprocessed", "data/weights"}),
        ("export", {"data/embeddings"}),
        ("evaluate", {"data/export"}),
        (
            "report",
            {
                "data/evaluation",
                "data/export",
                *(f"data/metrics/{name}.json" for name in ("embed", "evaluate", "export", "preprocess")),
            },
        ),
    ],
)
def test_what_a_stage_reads_is_what_another_writes(stage: str, expected: set[str]) -> None:
    written = {name for other in all_stages().values() for name in outputs(other)}
    read = {path for path in stages()[stage]["deps"] if path.startswith("data/")}
    assert read == expected <= written


def test_whatever_makes_a_stage_run_again_has_it_checked_before() -> None:
    """Of what no stage writes; and parameters are all in one file."""
    written = {name for stage in all_stages().values() for name in outputs(stage)}
    named = {name for stage in stages().values() for name in stage["deps"] if name not in written}
    checked = all_stages()[CHECK]["deps"]
    assert not [name for name in named if not within(name, checked)]
    assert "params.yaml" in checked


def test_every_stage_waits_for_the_check() -> None:
    """But for the one that writes the sample, which is checked."""
    written_by = {name: stage for stage in all_stages() for name in outputs(all_stages()[stage])}

    def waits(stage: str) -> bool:
        before = {written_by[name] for name in all_stages()[stage]["deps"] if name in written_by}
        return stage == CHECK or any(map(waits, before))

    assert [stage for stage in all_stages() if not waits(stage)] == ["sample"]


def outputs(stage: Any) -> set[str]:
    """The outputs and metrics of a stage."""
    named = [*stage.get("outs", []), *stage.get("metrics", [])]
    return {next(iter(name)) if isinstance(name, dict) else name for name in named}
