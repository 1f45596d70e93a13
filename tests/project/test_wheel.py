"""A project made, computed and swept with the wheel alone, in an environment of its own, outside any clone."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import WriteWav, run_child

REPOSITORY = Path(__file__).parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"
QUEUE_LIMIT_S = 1200.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("built")
    run_child([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=REPOSITORY)
    return folder


def test_the_wheel_has_the_package_with_its_data_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    names = {name for name in held if not name.split("/")[0].endswith(".dist-info")}
    tracked = subprocess.check_output(["git", "ls-files", "src"], cwd=REPOSITORY, text=True, timeout=60)
    assert names == {name.removeprefix("src/") for name in tracked.splitlines()}
    assert {name.split("/", 1)[1] for name in held} - names >= {"METADATA", "entry_points.txt"}


def test_the_source_distribution_has_what_the_wheel_is_made_of_and_nothing_else(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    tracked = subprocess.check_output(["git", "ls-files", "src"], cwd=REPOSITORY, text=True, timeout=60)
    beside = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert names == {*tracked.splitlines(), *beside}


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a process in an environment that has the wheel, and all other packages from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / BIN / "python"
    target = run_child(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    ).stdout.strip()
    (wheel,) = built.glob("*.whl")
    run_child([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel])
    Path(target, "others.pth").write_text("\n".join(site.getsitepackages()))
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {
        **variables,
        "PATH": f"{folder / BIN}{os.pathsep}{os.environ['PATH']}",
        "L3EMBED_STORE": str(folder / "store"),
        "HOME": str(folder),
        **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
    }


def test_a_project_of_the_wheel_is_computed_swept_and_experimented_with(
    environment: dict[str, str], tmp_path: Path, write_wav: WriteWav
) -> None:
    def run(*command: str, cwd: Path = tmp_path) -> str:
        done = run_child(list(command), cwd=cwd, env=environment, stderr=subprocess.STDOUT)
        return done.stdout

    for name in ("low/a", "low/b", "high/c", "high/d"):
        write_wav(f"sounds/{name}.wav", 1.0)
    assert str(REPOSITORY) not in run("python", "-c", "import l3embed; print(l3embed.__file__)")
    settings = ("weights=random", "model=music_512", "model.input_repr=mel128", "windows.hop_s=1")
    run("l3embed", "init", "study", "--dataset", "sounds", "--git", *settings, "report.projection=pca")
    study = tmp_path / "study"

    run("python", "-m", "dvc", "repro", cwd=study)
    assert (study / "data" / "report" / "index.html").is_file()
    assert "didn't change" in run("python", "-m", "dvc", "repro", cwd=study)

    swept = run("l3embed-pipeline", "-m", "windows.hop_s=0.5,1", cwd=study)
    assert "2 jobs, 0 failed" in swept

    run("git", "add", "-A", cwd=study)
    run("git", "commit", "-qm", "Computed", cwd=study)
    run("python", "-m", "dvc", "exp", "run", "--queue", "-S", "windows.hop_s=0.5", cwd=study)
    run("python", "-m", "dvc", "queue", "start", cwd=study)
    until = time.monotonic() + QUEUE_LIMIT_S
    while (status := run("python", "-m", "dvc", "queue", "status", cwd=study)).count("Success") < 1:
        assert "Failed" not in status
        assert time.monotonic() < until
        time.sleep(2)
