"""Each stage of ``dvc.yaml`` depends on the modules that it uses, and on no others."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from l3embed.store.code import MODULES
from l3embed.store.recipe import Step

from .conftest import REPOSITORY

SOURCE = REPOSITORY / "src" / "l3embed"

SPEAKING = {"atomic.py", "errors.py", "profiling.py", "progress.py", "stages/untrained.py"}
"""Modules that say how things are reported and written, and change no result."""

KEEPING = {
    "checksums.py",
    "folders.py",
    "stages/code.py",
    "stages/sharing.py",
    "store/claims.py",
    "store/digests.py",
    "store/entries.py",
    "store/recipe.py",
}
"""Modules that keep results and find them again, and change none."""

TELLING = {"stages/dataset.py", "stages/origin.py", "stages/results.py", "tables.py"}
"""Modules that say which inputs there are and what became of them, and change no single input's result."""

WEIGHTS_ARE_AN_INPUT = {
    f"weights/{name}"
    for name in (
        "cache.py",
        "fetch.py",
        "manifest.py",
        "published_weights.tsv",
        "random.py",
        "registry.py",
        "source.py",
        "store.py",
        "unpack.py",
    )
}

DECODING = {"decoding/audio.py", "decoding/ffmpeg.py", "decoding/recording.py"}

IMPORTED_FOR_OTHERS = {
    "sample": set(),
    "weights": set(),
    "preprocess": {"frontends/hann_windows.npz", "frontends/kapre.py", "version.py"},
    # It reads what was preprocessed, and weights from data/weights, that earlier stages wrote. Its outputs
    # name the version that computed them, even if that is not this one.
    "embed": {*DECODING, "resampling.py", "frontends/librosa.py", "version.py", *WEIGHTS_ARE_AN_INPUT},
    "export": set(),
    "evaluate": set(),
    "report": set(),
}
"""Files that a stage's modules import, and that have no part in its result."""

ENTRY_POINTS = {
    "sample": "sample/__init__.py",
    "weights": "stages/weights.py",
    "preprocess": "stages/preprocess.py",
    "embed": "stages/embed.py",
    "export": "stages/export.py",
    "evaluate": "stages/evaluate.py",
    "report": "stages/report.py",
}

STEPS = {
    Step.PREPROCESS: "preprocess",
    Step.EMBED: "embed",
    Step.POOL: "export",
    Step.PREVIEW: "report",
}
"""The stage that takes each step."""


@cache
def stages() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in content.items()}


def listed_files(stage: str) -> set[str]:
    """The files of the package that a stage names, or that lie in the folders that it names."""
    listed = set()
    chosen = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    for name in stages()[stage]["deps"]:
        dependency = name.replace("${labels.definition}", chosen["labels"]["definition"])
        if dependency.startswith("src/"):
            path = REPOSITORY / dependency
            assert path.exists(), f"{stage} depends on {dependency}, which is not there"
            listed |= set(path.rglob("*")) if path.is_dir() else {path}
    return {
        path.relative_to(SOURCE).as_posix()
        for path in listed
        if path.is_file() and "__pycache__" not in path.parts and not is_empty_package(path)
    }


def data_in_folders(stage: str) -> set[str]:
    """Files that are no modules, in folders that a stage names: the modules next to them find them."""
    return {name for name in listed_files(stage) if not name.endswith((".py", ".npz", ".tsv"))}


def used_files(stage: str) -> set[str]:
    """The files of the package that a stage's modules import, directly or through others."""
    used: set[Path] = set()
    waiting = [SOURCE / ENTRY_POINTS[stage]]
    while waiting:
        path = waiting.pop()
        if path not in used:
            used.add(path)
            if path.suffix == ".py":
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
    used = used_files(stage) - KEEPING - IMPORTED_FOR_OTHERS[stage]
    found = data_in_folders(stage)
    assert listed_files(stage) - SPEAKING - found == used - SPEAKING - found


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_the_exceptions_are_needed(stage: str) -> None:
    assert IMPORTED_FOR_OTHERS[stage] <= used_files(stage)


@pytest.mark.parametrize(("step", "stage"), STEPS.items(), ids=lambda value: str(value))
def test_results_are_kept_by_the_code_that_their_stage_depends_on(step: Step, stage: str) -> None:
    assert set(MODULES[step]) <= listed_files(stage)


@pytest.mark.parametrize("step", [Step.PREPROCESS, Step.EMBED], ids=lambda step: step.value)
def test_no_code_that_changes_a_result_is_left_out_of_its_key(step: Step) -> None:
    assert listed_files(STEPS[step]) - TELLING == set(MODULES[step])


@pytest.mark.parametrize("stage", ENTRY_POINTS)
def test_no_stage_depends_on_what_changes_no_result(stage: str) -> None:
    named = stages()[stage].get("params", [])
    assert not [
        name for name in named if name.startswith(("device", "weights.base_url", "weights.definition"))
    ]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("weights", set()),
        ("preprocess", set()),
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
    written = {name for other in stages().values() for name in outputs(other)}
    read = {path for path in stages()[stage]["deps"] if path.startswith("data/")}
    assert read == expected <= written


def outputs(stage: Any) -> set[str]:
    """The outputs and metrics of a stage."""
    named = [*stage.get("outs", []), *stage.get("metrics", [])]
    return {next(iter(name)) if isinstance(name, dict) else name for name in named}
