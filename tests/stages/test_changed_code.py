"""Results of other code, or of other packages, are not reused: by the stages' counts."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import run_child

from l3embed.store import code
from l3embed.store.code import STEPS
from l3embed.store.recipe import Step

from .conftest import ALL_REUSED, FILES, REPOSITORY
from .standin import Project

RUN_STAGES = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.stages import standin
standin.ChosenNetwork.load = standin.load
print(*standin.Project(Path(sys.argv[1])).run())
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that may be changed."""
    shutil.copytree(
        REPOSITORY / "src" / "l3embed",
        tmp_path / "src" / "l3embed",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return tmp_path / "src" / "l3embed"


def run_with(package: Path, project: Project) -> list[tuple[int, int, int]]:
    """Run all stages with a changed package, in a process of their own."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", RUN_STAGES, str(project.folder), str(REPOSITORY)]
    done = run_child(command, env=environment)
    counts: list[tuple[int, int, int]] = list(ast.literal_eval(done.stdout.replace(") (", "), (")))
    return counts


def change(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n# Changed.\n")


def test_unchanged_code_reuses_the_results_of_another_installation(computed: Project, package: Path) -> None:
    assert run_with(package, computed) == list(ALL_REUSED)


CHANGED_CODE = {
    "inputs/pixels.py": (FILES, FILES, 0),
    "stages/preprocess.py": (FILES, 0, 0),
    "stages/network.py": (0, FILES, 0),
    "frontends/hann_windows.npz": (FILES, FILES, 0),
    "export/moments.py": (0, 0, FILES),
    "progress.py": (0, 0, 0),
}
"""Modules, and how many of the four inputs each stage computes when they have changed.

What is computed anew comes out the same here, so that a later stage has nothing to do: its key is its input's
bytes.
"""


@pytest.mark.parametrize(("module", "counts"), CHANGED_CODE.items(), ids=CHANGED_CODE)
def test_changed_code_computes_anew_and_what_follows_only_if_it_has_to(
    computed: Project, package: Path, module: str, counts: tuple[int, int, int]
) -> None:
    if module.endswith(".npz"):
        # An archive may be followed by anything.
        content = (package / module).read_bytes()
        (package / module).write_bytes(content + b"\0")
    else:
        change(package / module)
    assert run_with(package, computed) == [(count, FILES - count, 0) for count in counts]


def test_changed_code_that_gives_something_else_is_followed_up(computed: Project, package: Path) -> None:
    path = package / "stages" / "preprocess.py"
    text = path.read_text()
    assert text.count("spool.append(rows)") == 1
    path.write_text(text.replace("spool.append(rows)", "spool.append(2 * rows)"))
    before = computed.outputs()
    assert run_with(package, computed) == [(FILES, 0, 0)] * 3
    assert (
        computed.outputs()["embeddings/audio/folder/0.wav.npz"] != before["embeddings/audio/folder/0.wav.npz"]
    )


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_every_listed_file_and_folder_is_there(step: Step) -> None:
    assert not [name for name in STEPS[step].sources if not (code.PACKAGE / name).exists()]


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_every_listed_file_changes_the_code_s_checksum(
    step: Step, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "PACKAGE", package)
    code.code_checksum.cache_clear()
    checksums = {code.code_checksum(step)}
    files = list(STEPS[step].files())
    for path in files:
        change(path)
        code.code_checksum.cache_clear()
        checksums.add(code.code_checksum(step))
    code.code_checksum.cache_clear()
    assert len(checksums) == len(files) + 1


def executed_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a module but those that only a type checker looks at."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from executed_nodes(child)


DISTRIBUTIONS = {"PIL": "pillow", "imageio_ffmpeg": "imageio-ffmpeg", "skimage": "scikit-image"}
IMPORTED_FOR_THE_OTHER_STEP = {
    # Decibels are computed by NumPy here, by Keras there, and the network in whatever runtime.
    Step.PREPROCESS: {"kapre", "keras", "openvino", "tensorflow", "torch"},
    Step.EMBED: {"skimage"},  # frames are only cropped here, images scaled there
    Step.POOL: set[str](),
    Step.PACK: set[str](),
    Step.PREVIEW: set[str](),
}


FOR_THREADS = {"joblib", "threadpoolctl"}
"""Packages that say how many threads there are to be, which changes no result."""

BY_CHECKSUM = {"nncf"}
"""What it makes is kept, and recipes hold the checksum of that."""


@pytest.mark.parametrize("step", Step, ids=lambda step: step.value)
def test_every_package_that_a_step_s_modules_import_counts(step: Step) -> None:
    imported = set()
    for path in STEPS[step].files():
        if path.suffix == ".py":
            for node in executed_nodes(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module).split(".")[0])
    imported -= FOR_THREADS | BY_CHECKSUM
    others = imported - sys.stdlib_module_names - {"l3embed"} - IMPORTED_FOR_THE_OTHER_STEP[step]
    assert {DISTRIBUTIONS.get(name, name) for name in others} <= set(STEPS[step].packages)


def test_what_reads_tiff_files_for_scikit_image_counts() -> None:
    assert "tifffile" in STEPS[Step.PREPROCESS].packages


@pytest.mark.parametrize(
    ("package_name", "expected"),
    [
        ("soundfile", [(FILES, 0, 0), (0, FILES, 0), (0, FILES, 0)]),
        ("tensorflow", [(0, FILES, 0), (FILES, 0, 0), (0, FILES, 0)]),
        ("numpy", [(FILES, 0, 0), (FILES, 0, 0), (FILES, 0, 0)]),
        ("tqdm", [(0, FILES, 0), (0, FILES, 0), (0, FILES, 0)]),
    ],
)
def test_another_version_of_a_package_computes_anew(
    computed: Project,
    monkeypatch: pytest.MonkeyPatch,
    package_name: str,
    expected: list[tuple[int, int, int]],
) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(code, "version", lambda name: "99.0" if name == package_name else real(name))
    for function in (code.package_versions, code.all_versions):
        function.cache_clear()
    counts = computed.run()
    for function in (code.package_versions, code.all_versions):
        function.cache_clear()
    assert list(counts) == expected
