"""The dataset card and the Croissant file of an export, read with nothing but parsers of YAML and JSON."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import l3embed
from l3embed.errors import OpenL3Error
from l3embed.export.card.card_facts import Weights, gather_facts
from l3embed.export.card.citations import PAPERS, SOFTWARE
from l3embed.export.card.dataset_card import size_category
from l3embed.export.card.licences import LICENCES, WEIGHTS_LICENCE, parse_licence
from l3embed.export.card.study import Study
from l3embed.export.formats import Dtype, Pooling, RowLayout, Rows
from l3embed.variants import Modality
from l3embed.weights.registry import ATTRIBUTION

from .carded import FAILED, MAKING, STUDY, carded, exported

STATED = Study(
    title="Bells: and *rain*",
    description="Recorded by night.",
    authors=("Ada Lovelace", "Mary Somerville"),
    licence=LICENCES["cc-by-4.0"],
    url="https://example.org/bells",
    version="1.2.0",
    published="2026-11-29",
    citation="@misc{bells, title = {Bells}}",
)


def front_matter(export: Path) -> dict[str, Any]:
    _, text, _ = (export / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def body(export: Path) -> str:
    return (export / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]


def croissant(export: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((export / "croissant.json").read_text(encoding="utf-8"))
    return content


def record_set(export: Path, name: str) -> dict[str, Any]:
    (found,) = (each for each in croissant(export)["recordSet"] if each["@id"] == name)
    return dict(found)


def field(export: Path, name: str) -> dict[str, Any]:
    (found,) = (each for each in record_set(export, name.split("/")[0])["field"] if each["@id"] == name)
    return dict(found)


def table_row(export: Path, first: str) -> list[str]:
    """The cells of the first row of a table that begins so."""
    line = next(line for line in body(export).splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_file_is_listed_with_its_size_and_checksum(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    listed = {
        each["contentUrl"]: (each["contentSize"], each["sha256"])
        for each in croissant(export)["distribution"]
        if each["@type"] == "cr:FileObject"
    }
    own = ("README.md", "croissant.json", ".sha256")
    there = [path for path in export.rglob("*") if path.is_file() and path.name not in own]
    assert listed == {
        path.relative_to(export).as_posix(): (
            f"{path.stat().st_size} B",
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in there
    }


@pytest.mark.usefixtures("small_parts")
def test_parts_are_listed_one_by_one(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    parts = sorted(path.relative_to(export).as_posix() for path in export.glob("parquet/audio/*"))
    assert len(parts) > 1
    assert parts == [
        each["contentUrl"]
        for each in croissant(export)["distribution"]
        if each.get("contentUrl", "").startswith("parquet/audio/")
    ]
    assert table_row(export, "`parquet/audio/\\*.parquet`".replace("\\", ""))[2].endswith(
        f"in {len(parts)} parts"
    )


def test_the_same_export_has_the_same_card_elsewhere_and_later(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    other = tmp_path / "elsewhere" / "copy"
    shutil.copytree(export, other, ignore=shutil.ignore_patterns("README.md", "croissant.json"))
    for path in other.rglob("*"):
        os.utime(path, (time.time() + 1e6, time.time() + 1e6))
    carded(other)
    for name in ("README.md", "croissant.json"):
        assert (other / name).read_bytes() == (export / name).read_bytes()


def test_the_manifest_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    export = exported(tmp_path)
    monkeypatch.setattr(pq, "read_table", None)
    assert gather_facts(export).files == 5


def test_it_counts_what_was_embedded_and_what_failed(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    assert table_row(export, "audio") == ["audio", "3", "22.6 s", "46", "8", "2", "2", "1"]
    assert table_row(export, "image") == ["image", "1", "", "2", "4", "0", "0", "0"]
    assert "Classes of audio, with how many files each has: bells (1), rain (1)." in body(export)
    assert "Folds of audio, as the dataset's authors have them: 1, 2." in body(export)
    assert "1 file of 5 failed, and has no embeddings:" in body(export)
    assert table_row(export, "silent") == ["silent", "1", "are silent"]


def test_hours_are_told_of_long_recordings(tmp_path: Path) -> None:
    export = carded(exported(tmp_path, duration_s=600_000.0))
    assert table_row(export, "audio")[2] == "500.0 h"


def test_names_and_reasons_are_no_markdown(tmp_path: Path) -> None:
    export = carded(exported(tmp_path), STATED)
    assert table_row(export, r"rain/cut\|short.wav") == [r"rain/cut\|short.wav", r"It is \<cut\> short."]
    assert front_matter(export)["pretty_name"] == STATED.title


def test_a_label_is_told_with_the_signs_of_markdown_escaped(tmp_path: Path) -> None:
    export = carded(exported(tmp_path, label="a_b [c](d)"))
    assert r"a\_b \[c\](d) (3)" in body(export)


def test_sections_of_files_are_called_so(tmp_path: Path) -> None:
    export = carded(exported(tmp_path, start_s=1.0, end_s=2.0))
    assert "46 audio embeddings of 3 sections" in body(export)


def test_it_tells_what_computed_the_embeddings(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    assert "(`audio_mel256_music_512_kapre`)" in table_row(export, "network")[1]
    assert table_row(export, "frontend")[1:] == ["kapre", ""]
    assert table_row(export, "windows")[1] == "1 s of sound every 0.5 s; a timestamp is its window's centre"
    assert table_row(export, "runtime")[1:] == ["ncnn", "ncnn"]
    assert "keras 3.1, numpy 2" in body(export)
    assert "embed `c0de`" in body(export)
    activity = record_set(export, "audio")["prov:wasGeneratedBy"]
    assert activity["prov:used"]["prov:label"] == "weights random:7"
    assert activity["prov:wasAssociatedWith"]["prov:label"] == f"l3embed {l3embed.__version__}"


def test_random_weights_are_warned_of(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    assert "**The weights are random.**" in body(export)


def test_published_weights_have_their_licence_and_authors(tmp_path: Path) -> None:
    weights = Weights("published:v0_4_0:ab", True, "https://example.org/weights.h5.gz", ATTRIBUTION)
    making = replace(MAKING, weights=dict.fromkeys(Modality, weights))
    export = carded(exported(tmp_path), making=making)
    assert f"- The network's weights: {ATTRIBUTION}" in body(export)
    assert "The weights are random" not in body(export)
    used = record_set(export, "audio")["prov:wasGeneratedBy"]["prov:used"]
    assert (used["license"], used["url"]) == (WEIGHTS_LICENCE.url, weights.source)
    assert WEIGHTS_LICENCE.url in ATTRIBUTION


def test_weights_of_unknown_origin_have_no_licence(tmp_path: Path) -> None:
    making = replace(MAKING, weights=dict.fromkeys(Modality, Weights("sha256:ab", trained=True)))
    export = carded(exported(tmp_path), making=making)
    assert "its authors' own; their licence is **not stated**" in body(export)
    assert "license" not in record_set(export, "audio")["prov:wasGeneratedBy"]["prov:used"]


def test_what_nobody_states_is_not_made_up(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    assert "- This dataset: **not stated**." in body(export)
    assert not {"license", "license_name", "license_link"} & set(front_matter(export))
    assert not {"license", "creator", "url", "datePublished", "version", "citeAs"} & set(croissant(export))
    assert STUDY.not_stated() == ["card.license", "card.authors", "card.url", "card.published"]


def test_what_its_author_states_is_in_both(tmp_path: Path) -> None:
    export = carded(exported(tmp_path), STATED)
    stated = croissant(export)
    assert stated["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert [each["name"] for each in stated["creator"]] == list(STATED.authors)
    facts = (stated["url"], stated["datePublished"], stated["version"], stated["citeAs"])
    assert facts == (STATED.url, STATED.published, STATED.version, STATED.citation)
    assert front_matter(export)["license"] == "cc-by-4.0"
    assert "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)" in body(export)
    for words in ("Recorded by night.", "By Ada Lovelace, Mary Somerville.", STATED.citation):
        assert words in body(export)
    assert not STATED.not_stated()


def test_a_licence_of_ones_own_has_a_name_and_an_address(tmp_path: Path) -> None:
    licence = parse_licence("https://example.org/terms", "our-terms-1.0")
    matter = front_matter(carded(exported(tmp_path), replace(STATED, licence=licence)))
    names = ("license", "license_name", "license_link")
    assert [matter[name] for name in names] == ["other", "our-terms-1.0", "https://example.org/terms"]


@pytest.mark.parametrize(
    ("licence", "name", "message"),
    [
        ("cc-by", None, r"one of cc0-1\.0, cc-by-4\.0, .* or the address .*; got 'cc-by'"),
        ("https://example.org/terms", None, r"needs the licence's name\. Set card\.license_name"),
        (None, "our-terms", r"goes with an address in card\.license; got none"),
        ("mit", "our-terms", r"got 'our-terms' with mit\. Leave it out"),
    ],
)
def test_a_licence_that_is_none_is_explained(licence: str | None, name: str | None, message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        parse_licence(licence, name)


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (1, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (10**9, "1B<n<10B"),
        (10**12, "n>1T"),
        (10**15, "n>1T"),
    ],
)
def test_a_size_is_told_in_the_hub_s_words(rows: int, size: str) -> None:
    assert size_category(rows) == size


def test_the_hub_is_told_of_tasks_that_labels_allow(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    assert front_matter(export)["task_categories"] == ["feature-extraction", "audio-classification"]


def test_patterns_match_the_parts_and_nothing_else(tmp_path: Path) -> None:
    export = carded(exported(tmp_path))
    patterns = {
        config["config_name"]: config["data_files"][0]["path"] for config in front_matter(export)["configs"]
    }
    sets = {each["@id"]: each["includes"] for each in croissant(export)["distribution"] if "includes" in each}
    assert sets == {f"{name}-parts": pattern for name, pattern in patterns.items()}
    for name, pattern in patterns.items():
        assert {path.parent for path in export.glob(pattern)} == {export / "parquet" / name}


@pytest.mark.parametrize(
    ("layout", "kind", "width"),
    [
        (RowLayout(), "cr:Float32", "8"),
        (RowLayout(dtype=Dtype.FLOAT16), "cr:Float16", "8"),
        (RowLayout(Rows.FILES, Pooling.MEAN_STD), "cr:Float32", "16"),
    ],
    ids=["frames", "float16", "files"],
)
def test_embeddings_are_arrays_of_a_type_and_a_length(
    tmp_path: Path, layout: RowLayout, kind: str, width: str
) -> None:
    export = carded(exported(tmp_path, layout))
    found = field(export, "audio/embedding")
    assert (found["dataType"], found["isArray"], found["arrayShape"]) == (kind, True, width)
    assert field(export, "audio/label")["dataType"] == ["sc:Text", "cr:Label"]
    names = [each["name"] for each in record_set(export, "audio")["field"]]
    assert ("frame" in names, "frames" in names) == (layout.rows is Rows.FRAMES, layout.rows is Rows.FILES)
    assert ("pooled over a file's embeddings (mean_std)" in body(export)) == (layout.rows is Rows.FILES)


def test_failures_beyond_the_first_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from l3embed.export.card import card_facts

    monkeypatch.setattr(card_facts, "FAILURES_NAMED", 0)
    export = carded(exported(tmp_path))
    assert "`manifest.parquet` names all." in body(export)
    assert FAILED.path not in body(export)


def test_an_export_without_embeddings_has_no_card(tmp_path: Path) -> None:
    export = exported(tmp_path)
    shutil.rmtree(export / "parquet")
    with pytest.raises(OpenL3Error, match=r"has no embeddings that a card could describe"):
        carded(export)
    assert not (export / "README.md").exists()


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    export = exported(tmp_path)
    (export / "parquet" / "audio" / "part-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(OpenL3Error, match=r"part-00000\.parquet: .* Run 'dvc repro -f export'"):
        carded(export)


def test_the_papers_are_those_of_the_citation_file() -> None:
    root = Path(__file__).parents[2]
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    for entry, paper in zip(cited["references"], PAPERS, strict=True):
        assert f"title = {{{entry['title']}}}" in paper
        assert f"booktitle = {{{entry['collection-title']}}}" in paper
        assert f"year = {{{entry['year']}}}" in paper
        if "start" in entry:
            assert f"pages = {{{entry['start']}--{entry['end']}}}" in paper
        for author in entry["authors"]:
            family = author["family-names"].replace("ć", r"{\'c}")
            assert f"{family}, {author['given-names']}" in paper
    assert f"title = {{{cited['title']}}}" in SOFTWARE
    assert f"version = {{{cited['version']}}}" in SOFTWARE


def test_an_export_with_a_card_is_read_as_before(tmp_path: Path) -> None:
    export = exported(tmp_path)
    before = l3embed.load_export(export, "audio")
    after = l3embed.load_export(carded(export), "audio")
    assert (after.embeddings == before.embeddings).all()
