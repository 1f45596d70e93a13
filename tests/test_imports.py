"""Which module may import which, and what importing l3embed loads."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import CPU_RUNTIME, NEEDS_NO_TENSORFLOW, WriteWav, run_child

import l3embed
from l3embed.variants import Media

PACKAGE = Path(l3embed.__file__).parent

LAYERS = [
    {"version", "errors"},
    {"variants", "profiling", "progress"},
    {"disk", "engines"},
    {"networks", "decoding", "frontends", "listings"},
    {"weights", "inputs", "export"},
    {"runtimes", "evaluation"},
    {"models", "report", "store"},
    {"core", "exchange", "torch"},
    {"distances"},
    {"sample", "verification", "search", "stages", "interfaces"},
    {"cli", "hear"},
    {"app"},
]
"""The house from the ground up: a room imports from the floors below its own, and within itself.

Rooms on one floor do not import each other. ``docs/explain/architecture.md`` says what each is for.
"""

FLOOR = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}

ENTRANCES = {"__init__", "__main__"}
"""Modules above all floors: they may import any, and nothing imports them but for the public names."""

CONFIGURATION = {"hydra", "omegaconf"}

HEAVY = {
    "tensorflow",
    "torch",
    "onnx",
    "keras",
    "kapre",
    "librosa",
    "soundfile",
    "scipy",
    "numpy",
    "skimage",
    "moviepy",
    "h5py",
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """As in ``weights.store``; ``weights`` for ``weights/__init__.py``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts if len(parts) == 1 or parts[-1] != "__init__" else parts[:-1])


def room_of(module: str) -> str:
    return module.split(".")[0]


def imported_names(path: Path) -> set[str]:
    """Absolute names of all that a module imports, inside functions and for type checkers as well."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively: {ast.unparse(node)}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_rooms(path: Path) -> set[str]:
    ours = {name.split(".", 1)[1] for name in imported_names(path) if name.startswith("l3embed.")}
    return {room_of(name) for name in ours}


def modules_loaded_by(code: str) -> set[str]:
    """The packages that are loaded in a fresh process after some code."""
    program = f"{code}\nimport sys\nprint('LOADED', *sys.modules)"
    done = run_child([sys.executable, "-c", program])
    (loaded,) = (line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return {name.split(".")[0] for name in loaded.split()[1:]}


def test_the_page_on_the_house_has_the_same_floors() -> None:
    page = (Path(__file__).parents[1] / "docs" / "explain" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.MULTILINE)
    assert [(number, set(re.findall(r"`(\w+)`", rooms))) for number, rooms in rows] == [
        (str(number), rooms) for number, rooms in enumerate(LAYERS, start=1)
    ]


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(module_name(path)) for path in MODULES} - ENTRANCES
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(module_name(path))
    if room in ENTRANCES:
        assert imported_rooms(path) <= set(FLOOR)
        return
    allowed = {other for other in FLOOR if FLOOR[other] < FLOOR[room]} | {room}
    assert imported_rooms(path) <= allowed


def test_a_module_s_name_tells_it_apart_from_all_others() -> None:
    """But for the media, which mean the same wherever they stand."""
    names = Counter(path.stem for path in MODULES if path.stem != "__init__")
    assert {name for name, count in names.items() if count > 1} <= {media.value for media in Media}


def test_few_modules_lie_beside_the_folders() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 8


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_module_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_app_knows_of_hydra(path: Path) -> None:
    found = {name.split(".")[0] for name in imported_names(path)} & CONFIGURATION
    assert not found or room_of(module_name(path)) == "app"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import l3embed", id="import"),
        pytest.param("import l3embed\nl3embed.__version__, l3embed.OpenL3Error, dir(l3embed)", id="names"),
        pytest.param("import l3embed.cli.main", id="command line"),
        pytest.param(
            "import runpy, sys\nsys.argv = ['l3embed', '--help']\n"
            "try:\n    runpy.run_module('l3embed', run_name='__main__')\nexcept SystemExit:\n    pass",
            id="help",
        ),
        pytest.param(
            "import runpy, sys\nsys.argv = ['l3embed', 'audio', '--help']\n"
            "try:\n    runpy.run_module('l3embed', run_name='__main__')\nexcept SystemExit:\n    pass",
            id="help of a command",
        ),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str) -> None:
    loaded = modules_loaded_by(code)
    assert "l3embed" in loaded
    assert not loaded & HEAVY


def test_computing_does_not_load_the_pipeline() -> None:
    loaded = modules_loaded_by("import l3embed\nl3embed.preprocess_audio")
    assert "numpy" in loaded
    assert not loaded & (CONFIGURATION | {"dvc", "tensorflow", "librosa"})


@NEEDS_NO_TENSORFLOW
@pytest.mark.parametrize("frontend", ["kapre", "librosa"])
def test_embedding_sounds_on_the_cpu_loads_no_tensorflow(frontend: str, write_wav: WriteWav) -> None:
    """Which takes longer to import than a short file to embed; so do librosa and scikit-image."""
    path = write_wav("a.wav", sample_rate_hz=22_050)
    loaded = modules_loaded_by(
        f"import l3embed\nl3embed.process_audio_file({str(path)!r}, input_repr='mel128', embedding_size=512, "
        f"hop_size=1, frontend={frontend!r}, device='cpu', verbose=False)"
    )

    assert path.with_suffix(".npz").is_file()
    assert CPU_RUNTIME in loaded
    assert not loaded & {"tensorflow", "keras", "kapre", "librosa", "skimage", "moviepy"}


@NEEDS_NO_TENSORFLOW
def test_embedding_images_on_the_cpu_loads_no_tensorflow() -> None:
    loaded = modules_loaded_by(
        "import l3embed, numpy\nl3embed.get_image_embedding(numpy.ones((224, 224, 3)), embedding_size=512, "
        "device='cpu', verbose=False)"
    )

    assert CPU_RUNTIME in loaded
    assert not loaded & {"tensorflow", "keras", "kapre", "librosa", "soundfile", "moviepy"}


def test_unknown_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match=r"module 'l3embed' has no attribute 'get_audio_embeding'"):
        l3embed.get_audio_embeding  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", l3embed.__all__)
def test_public_names_are_there(name: str) -> None:
    assert getattr(l3embed, name) is not None
    assert name in dir(l3embed)
