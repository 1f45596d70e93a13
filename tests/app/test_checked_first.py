"""A setting or a table that is bad costs no output: it is found out before any folder is emptied."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stages.conftest import write_audio, write_image

from .test_dvc import Project, make_project, ran

pytestmark = pytest.mark.slow

KEPT = ("export", "embeddings")


def outputs(folder: Path) -> dict[str, bytes]:
    """All files of the folders that are dear."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in KEPT
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def write_labels(project: Project, text: str, encoding: str = "utf-8") -> None:
    (project.folder / "labels.csv").write_bytes(text.encode(encoding))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two labelled recordings, all of whose outputs are there."""
    project = make_project(tmp_path_factory.mktemp("checked"))
    write_audio(project.recordings / "a.wav", seconds=1.0)
    write_audio(project.recordings / "b.wav", seconds=1.0)
    write_labels(project, "path,label\na.wav,x\nb.wav,y\n")
    project.compose("dataset.modality=all", "labels=table", "labels.table=labels.csv")
    project.dvc("repro")
    return project


@pytest.fixture
def project(finished: Project) -> Iterator[Project]:
    """The same, whose settings and labels become what they were."""
    files = [finished.folder / name for name in ("params.yaml", "labels.csv")]
    before = {path: path.read_bytes() for path in files}
    yield finished
    for path, content in before.items():
        path.write_bytes(content)


def edited(old: str, new: str) -> Callable[[Project], None]:
    """What edits the settings by hand."""

    def edit(project: Project) -> None:
        path = project.folder / "params.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def labelled(text: str, encoding: str = "utf-8") -> Callable[[Project], None]:
    return lambda project: write_labels(project, text, encoding)


def not_together(project: Project) -> None:
    """Ask for a spectrogram in the network, of a runtime that has none."""
    edited("name: kapre", "name: kapre_graph")(project)
    edited("runtime:\n  name: auto", "runtime:\n  name: openvino")(project)


MISTAKES: dict[str, tuple[Callable[[Project], None], str]] = {
    "a value": (edited("input_repr: mel128", "input_repr: mel64"), "got 'mel64'"),
    "a number": (edited("hop_s: 1.0", "hop_s: 0"), "windows.hop_s must be"),
    "a name": (edited("windows:", "windos:"), "Did you mean windows?"),
    "a setting of a stage to come": (edited("projection: pca", "projection: tsne"), "report.projection"),
    "a format": (edited("- npz", "- hdf5"), "got 'hdf5'"),
    "settings that do not go together": (not_together, "openvino"),
    "no files": (edited("modality: all", "modality: video"), "no files of the kinds video"),
    "labels of other files": (labelled("path,label\nc.wav,x\n"), "is a file of the dataset"),
    "labels without a column": (labelled("path,class\na.wav,x\n"), "must have the columns path and label"),
    "labels that disagree": (labelled("path,label\na.wav,x\na.wav,y\n"), "disagree on 'a.wav'"),
    "labels of another encoding": (labelled("path,label\na.wav,ä\n", "latin-1"), "is not UTF-8"),
    "no labels": (labelled(""), "must have the columns path and label"),
}


@pytest.mark.parametrize(("make", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_leaves_all_outputs_as_they_were(
    project: Project, make: Callable[[Project], None], message: str
) -> None:
    before = outputs(project.folder / "data")
    assert before
    make(project)
    said = project.dvc("repro", status=255)
    assert ran(said) == ["check"]
    assert message in said
    assert "Traceback" not in said
    assert outputs(project.folder / "data") == before


def test_a_table_that_is_gone_leaves_all_outputs_as_they_were(project: Project) -> None:
    before = outputs(project.folder / "data")
    (project.folder / "labels.csv").unlink()
    assert "labels.csv" in project.dvc("repro", status=255)
    assert outputs(project.folder / "data") == before


def test_a_mistake_that_is_mended_costs_nothing(project: Project) -> None:
    text = (project.folder / "params.yaml").read_text(encoding="utf-8")
    edited("input_repr: mel128", "input_repr: mel64")(project)
    project.dvc("repro", status=255)
    (project.folder / "params.yaml").write_text(text, encoding="utf-8")
    assert ran(project.dvc("repro")) == []


@pytest.mark.parametrize(
    ("stage", "message"), [("embed", "openvino"), ("export", "is a file of the dataset")]
)
def test_a_stage_that_is_run_by_hand_finds_out_before_it_empties_its_folder(
    project: Project, stage: str, message: str
) -> None:
    before = outputs(project.folder / "data")
    not_together(project)
    write_labels(project, "path,label\nc.wav,x\n")
    said = project.call(sys.executable, "-m", "l3embed.app.stage", stage, status=1)
    assert said.startswith(f"{stage}: error: ")
    assert message in said
    assert outputs(project.folder / "data") == before


@pytest.mark.parametrize("sweep", [[], ["-m"]], ids=["run", "sweep"])
def test_the_whole_pipeline_finds_out_before_it_empties_a_folder(
    project: Project, tmp_path: Path, sweep: list[str]
) -> None:
    folder = tmp_path / "run"
    labels = ("labels=table", "labels.table=labels.csv")
    where = (f"hydra.run.dir={folder}", f"hydra.sweep.dir={folder.parent}", "hydra.sweep.subdir=run")
    command = (sys.executable, "-m", "l3embed.app.run", *sweep, *project.base, *labels, *where)
    project.call(*command)
    before = outputs(folder)
    assert before
    write_labels(project, "path,label\nc.wav,x\n")
    assert "is a file of the dataset" in project.call(*command, status=1)
    assert outputs(folder) == before


def test_weights_are_fetched_when_there_are_files_for_them(project: Project) -> None:
    weights = project.folder / "data" / "weights"
    assert [path.name for path in weights.glob("*.h5")] == ["openl3_audio_mel128_music.h5"]
    picture = project.recordings / "c.png"
    write_image(picture)
    try:
        said = project.dvc("repro")
        assert ran(said)[:1] == ["check"]
        assert set(ran(said)[1:3]) == {"weights", "preprocess"}
        assert len(list(weights.glob("*.h5"))) == 2
        assert project.manifest()["c.png"] == "ok"
    finally:
        picture.unlink()
        project.dvc("repro")


def test_one_more_file_of_a_kind_fetches_nothing(project: Project) -> None:
    added = project.recordings / "d.wav"
    write_audio(added, seconds=1.0)
    try:
        assert "weights" not in ran(project.dvc("repro"))
    finally:
        added.unlink()
        project.dvc("repro")


ODD = 'it\'s "mine", a=b #1 (ä) {x} [y] & ~z'


def test_dvc_takes_any_folder_and_table_that_settings_can_name(project: Project) -> None:
    write_audio(project.folder / ODD / "a.wav", seconds=1.0)
    (project.folder / f"{ODD}.csv").write_text("path,label\na.wav,x\n", encoding="utf-8")
    project.compose(f"dataset.path={ODD}", "labels=table", f"labels.table={ODD}.csv")
    assert "check: 1 audio" in project.dvc("repro", "check")
