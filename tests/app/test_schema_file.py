"""What shells are told of settings: names, values, choices and paths, by what has been written so far."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.app.schema_file import complete_override


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a choice of its own, and some data."""
    for name in ("conf/model/mine.yaml", "conf/hydra/launcher/cores.yaml", "data/a.csv", "data/.b.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "data" / "sounds").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("windows.", ["windows.hop_s=", "windows.center="]),
        ("run", ["runtime=", "runtime.name="]),
        ("labels.d", []),
        ("frontend.", ["frontend.name="]),
        ("model=m", ["model=music", "model=music_512", "model=mine"]),
        ("model=music,e", ["model=music,environment", "model=music,environment_512"]),
        ("hydra/launcher=", ["hydra/launcher=cores"]),
        (
            "model.audio_embedding_size=",
            ["model.audio_embedding_size=6144", "model.audio_embedding_size=512"],
        ),
        ("windows.center=t", ["windows.center=true"]),
        ("dataset.modality=v", ["dataset.modality=video"]),
        ("windows.hop_s=", []),
        ("dataset.include=", []),
        ("modl=", []),
        ("labels.table=data/", ["labels.table=data/a.csv", "labels.table=data/sounds/"]),
        ("labels.table=data/.", ["labels.table=data/.b.csv"]),
        ("dataset.path=d", ["dataset.path=data/"]),
        ("dataset.path=nowhere/", []),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_was_begun_is_completed(prefix: str, words: list[str]) -> None:
    assert list(complete_override(prefix)) == words


@pytest.mark.usefixtures("project")
def test_choices_are_told_with_what_they_are() -> None:
    assert complete_override("model=music_")["model=music_512"].startswith("Trained on videos of musical")


@pytest.mark.usefixtures("project")
def test_settings_are_told_with_what_they_are() -> None:
    assert complete_override("windows.h") == {"windows.hop_s=": "seconds from one embedding to the next"}


def test_without_a_project_l3embeds_own_choices_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "weights=random" in complete_override("weights=")
