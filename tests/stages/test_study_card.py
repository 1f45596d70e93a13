"""The stage ``export`` with a card, in both layouts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import l3embed
from l3embed.disk import checksums
from l3embed.distances import DistanceOptions, measure_distances
from l3embed.export.card.study import Study
from l3embed.export.formats import Rows
from l3embed.export.labels import FolderLabels
from l3embed.models.origin import read_origins, write_origins
from l3embed.search.opened_folder import open_folder
from l3embed.stages.export import ExportOptions
from l3embed.stages.output_folder import Layout
from l3embed.stages.packed import packed_export
from l3embed.stages.study_card import CardOptions, write_study_card
from l3embed.store.code import code_checksum
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.variants import Modality
from l3embed.weights.registry import PUBLISHED_FILES

from .conftest import write_audio, write_image
from .packed.conftest import Packed
from .standin import Project

CARD = CardOptions(Study("Noise"), hop_s=0.5, center=True)


@pytest.fixture
def noisy(project: Project) -> Project:
    """A project with two sounds, a picture, and a file that fails; its export has Parquet and a card."""
    write_audio(project.dataset / "one" / "a.wav", seconds=1.5)
    write_audio(project.dataset / "two" / "c.wav", seconds=1.5)
    write_image(project.dataset / "one" / "b.png")
    (project.dataset / "empty.wav").touch()
    options = ExportOptions(FolderLabels(), ("npz", "parquet"), card=CARD)
    return replace(project, export_options=options)


def croissant(export: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((export / "croissant.json").read_text(encoding="utf-8"))
    return content


def front_matter(export: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (export / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    )
    return content


def export_packed(packed: Packed) -> None:
    with Store() as store:
        packed_export.run(packed.project.export_options, packed.layout(), store)


def test_a_second_export_has_the_same_card(noisy: Project) -> None:
    noisy.run()
    before = {name: (noisy.export_folder / name).read_bytes() for name in ("README.md", "croissant.json")}
    noisy.export()
    assert {name: (noisy.export_folder / name).read_bytes() for name in before} == before


def test_it_says_what_the_stages_knew(noisy: Project) -> None:
    noisy.run()
    text = (noisy.export_folder / "README.md").read_text(encoding="utf-8")
    for step in (Step.PREPROCESS, Step.EMBED, Step.POOL):
        assert f"{step.value} `{code_checksum(step)}`" in text
    assert "`random:1`" in text
    assert "1 s of sound every 0.5 s" in text
    assert "| empty.wav | The file is empty (0 bytes)." in text
    assert "an `.npz` file for each input" in text


def test_doubts_are_counted(noisy: Project) -> None:
    write_audio(noisy.dataset / "one" / "copy.wav", seconds=1.5, seed=3)
    write_audio(noisy.dataset / "two" / "copy.wav", seconds=1.5, seed=3)
    noisy.run()
    text = (noisy.export_folder / "README.md").read_text(encoding="utf-8")
    assert "| conflict | 2 | have copies under another label |" in text


def test_without_being_asked_there_is_no_card(noisy: Project) -> None:
    replace(noisy, export_options=replace(noisy.export_options, card=None)).run()
    assert not [name for name in ("README.md", "croissant.json") if (noisy.export_folder / name).exists()]


def test_what_is_not_stated_is_told(noisy: Project, capsys: pytest.CaptureFixture[str]) -> None:
    noisy.run()
    warning = "warning: the card does not state what its readers ask for: card.license, card.authors, "
    assert warning in capsys.readouterr().err


def test_folders_called_like_the_card_keep_apart_from_it(noisy: Project) -> None:
    for number, name in enumerate(("README.md", "readme.md_", "croissant.json")):
        write_audio(noisy.dataset / name / "d.wav", seed=number)
    noisy.run()
    assert (noisy.export_folder / "README.md").is_file()
    assert croissant(noisy.export_folder)["name"] == "Noise"
    assert (noisy.export_folder / "README.md_" / "d.npz").is_file()
    assert len(l3embed.load_export(noisy.export_folder, rows="files").paths) == 5


def test_a_packed_export_has_a_card_of_the_same_data(noisy: Project, tmp_path: Path) -> None:
    noisy.run()
    packed = Packed(noisy, tmp_path / "packed")
    packed.embed()
    export_packed(packed)
    ours, theirs = croissant(packed.export_folder), croissant(noisy.export_folder)
    for content in (ours, theirs):
        for record_set in content["recordSet"]:
            record_set.pop("prov:wasGeneratedBy", None)
    assert ours["recordSet"] == theirs["recordSet"]
    assert front_matter(packed.export_folder) == front_matter(noisy.export_folder)
    listed = {each["contentUrl"] for each in ours["distribution"] if "contentUrl" in each}
    own = ("README.md", "croissant.json")
    there = {
        path.relative_to(packed.export_folder).as_posix()
        for path in packed.export_folder.rglob("*")
        if path.is_file() and path.name not in own and path.suffix not in (".npz", "")
    }
    assert listed == there
    before = (packed.export_folder / "croissant.json").read_bytes()
    export_packed(packed)
    assert (packed.export_folder / "croissant.json").read_bytes() == before


def test_parts_that_the_store_has_are_not_hashed_again(
    noisy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = Packed(noisy, tmp_path / "packed")
    packed.embed()
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return checksums.sha256(path)

    monkeypatch.setattr("l3embed.store.digests.sha256", counted)
    export_packed(packed)
    assert "manifest.parquet" in read
    assert not [name for name in read if name.startswith("part-")]


def test_an_export_with_a_card_is_searched_and_measured(noisy: Project) -> None:
    noisy.run()
    opened = open_folder(noisy.export_folder, Modality.AUDIO, Rows.FILES)
    assert [each.path for each in opened.source.inputs] == ["one/a.wav", "two/c.wav"]
    options = DistanceOptions(measures=("kad",), verbose=False)
    (distance,) = measure_distances(noisy.export_folder, [noisy.export_folder], options).distances
    assert distance.frames == 6


def test_published_weights_are_known_by_their_identity(
    noisy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy.run()
    file = next(iter(PUBLISHED_FILES.values()))
    embeddings = noisy.folder / "embeddings"
    origins = {
        modality: replace(origin, weights=file.identity)
        for modality, origin in read_origins(embeddings).items()
    }
    write_origins(origins, embeddings)
    with Store() as store:
        write_study_card(CARD, Layout(noisy.folder), [Step.EMBED], {}, store)
    text = (noisy.export_folder / "README.md").read_text(encoding="utf-8")
    assert f"/{file.file_name}>" in text
    assert "https://creativecommons.org/licenses/by/4.0/" in text
