"""The page as it is written: what it says, that it is whole, and that nothing gets out or in."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from l3embed.errors import OpenL3Error
from l3embed.report import Report, ReportOptions
from l3embed.report.media_files import relative_address
from l3embed.report.neighbours import nearest
from l3embed.stages import report

from .conftest import (
    DIMENSION,
    HOSTILE_NAME,
    LABELS,
    NO_UMAP,
    PER_LABEL,
    Array,
    Page,
    Project,
    audio_row,
    clustered,
    mixed_project,
    write_tone,
)


def unpacked(text: str, kind: str) -> Array:
    return np.frombuffer(base64.b64decode(text), kind)


def labelled(project: Project, labels: list[str], frames: int = 3) -> Project:
    rows = [audio_row(f"{place:03}.wav", label, frames=frames) for place, label in enumerate(labels)]
    made = clustered(labels, frames)
    project.write_export(rows, {row.output: own for row, own in zip(rows, made, strict=True)})
    return project


def test_all_elements_are_closed(mixed: Page) -> None:
    assert not mixed.parser.open
    assert mixed.html.endswith("</html>\n") or mixed.html.endswith("</html>")


def test_nothing_comes_from_a_network(mixed: Page) -> None:
    addresses = mixed.attributes("src", "href", "action", "data", "poster", "srcset")
    assert all(address.startswith(("data:", "#")) for address in addresses)
    style = re.search(r"<style>(.*?)</style>", mixed.html, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|https?:", style[1])
    assert "https:" not in mixed.parser.scripts["code"]


def test_a_policy_allows_the_page_its_own_script_alone(mixed: Page) -> None:
    (policy,) = (value for value in mixed.attributes("content") if "default-src" in value)
    digest = hashlib.sha256(mixed.parser.scripts["code"].encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    assert "default-src 'none'" in policy


def test_a_hostile_name_is_text_everywhere(mixed: Page) -> None:
    names = [path for path in mixed.data["paths"] if "onerror" in path]
    assert names == [f"drums/{HOSTILE_NAME}"]
    assert "onerror" not in [key for _, attributes in mixed.parser.elements for key, _ in attributes]
    assert [tag for tag, _ in mixed.parser.elements].count("script") == 3


def test_hostile_words_of_all_kinds_are_text(project: Project) -> None:
    row = audio_row("a.wav", HOSTILE_NAME, variant=HOSTILE_NAME, weights=HOSTILE_NAME, packages=HOSTILE_NAME)
    failed = audio_row(HOSTILE_NAME, status="failed", reason=HOSTILE_NAME)
    project.write_export([row, failed], {row.output: np.ones((5, DIMENSION))})
    project.write_metrics("embed", {HOSTILE_NAME: HOSTILE_NAME})
    project.write_evaluation("audio", [(HOSTILE_NAME, HOSTILE_NAME), ("b", "b")], {})
    page = project.report()
    assert "onerror" not in [key for _, attributes in page.parser.elements for key, _ in attributes]
    assert not page.parser.open
    assert page.text.count("{{ 7*7 }}") >= 7


def test_the_same_inputs_make_the_same_bytes(tmp_path: Path) -> None:
    pages = [mixed_project(tmp_path / name).report().path for name in ("one", "two")]
    # The title is the dataset's folder, which has one name in both.
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_it_says_what_was_computed(mixed: Page) -> None:
    assert "23 of 24 files have embeddings: 149 of sound (28.5 s), and 9 of pictures." in mixed.text
    assert "audio audio_mel128_music_512_kapre sha256:feed 20 19 1 149 16" in mixed.text
    assert "embed 24 23 0 1 4.0 s 5.75 inputs/s" in mixed.text


def test_it_tells_failures_with_their_reasons(mixed: Page) -> None:
    assert "1 input failed File Modality Reason broken.wav audio The file is empty (0 bytes)." in mixed.text


def test_many_failures_are_folded(project: Project) -> None:
    rows = [audio_row(f"{n}.wav", status="failed", reason="cut short") for n in range(21)]
    project.write_export(rows, {})
    page = project.report()
    assert ("details", [("class", "failures")]) in page.parser.elements
    assert "21 inputs failed" in page.text
    project.write_export(rows[:20], {})
    assert ("details", [("class", "failures"), ("open", "")]) in project.report().parser.elements


def test_trained_weights_have_no_warning_and_untrained_ones_have(project: Project) -> None:
    labelled(project, ["a", "b"])
    assert "Untrained weights" not in project.report().text
    row = audio_row("a.wav", weights="random:20260101")
    project.write_export([row], {row.output: np.ones((3, DIMENSION))})
    assert (
        "Untrained weights Some or all of these embeddings come from random weights" in project.report().text
    )


def test_the_map_has_every_file_with_its_place_and_neighbours(mixed: Page) -> None:
    (audio, image) = mixed.data["maps"]
    assert (audio["modality"], image["modality"]) == ("audio", "image")
    files = unpacked(audio["files"], "<u4")
    paths = [mixed.data["paths"][file] for file in files]
    assert len(paths) == len(LABELS) * PER_LABEL + 1
    means = np.load(mixed.path.parents[1] / "export" / "audio_mean.npy")
    expected = nearest(means, 8)
    np.testing.assert_array_equal(unpacked(audio["index"], "<u4").reshape(-1, 8), expected.index)
    similarity = unpacked(audio["similarity"], "<i2").reshape(-1, 8) / 10_000
    np.testing.assert_allclose(similarity, expected.similarity, atol=6e-5)
    (view,) = audio["views"]
    points = unpacked(view["points"], "<f4").reshape(-1, 2)
    assert np.abs(points.mean(axis=0)).max() < 1e-3
    assert points.shape == (len(paths), 2)


def test_files_have_their_labels_and_lengths(mixed: Page) -> None:
    data = mixed.data
    labels = [data["labels"][place] for place in unpacked(data["label"], "<u4")]
    by_path = dict(zip(data["paths"], labels, strict=True))
    assert by_path["rain/rain_2.wav"] == "rain"
    assert by_path["clip.mp4"] == ""
    durations = dict(zip(data["paths"], unpacked(data["duration"], "<f4"), strict=True))
    assert durations["rain/rain_2.wav"] == 1.5
    assert np.isnan(durations["photographs/picture_0.png"])


def test_previews_are_those_of_their_files(mixed: Page) -> None:
    place = mixed.data["paths"].index("bells/bells_2.wav")
    samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(mixed.previews["sounds"][str(place)])))
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()] == pytest.approx(280, abs=2)
    held = unpacked(mixed.data["held"], "u1")
    assert held[place] == 1
    assert held[mixed.data["paths"].index("photographs/picture_1.png")] == 2
    assert held[mixed.data["paths"].index("clip.mp4")] == 3


def test_files_without_a_preview_are_named_with_the_reason(project: Project) -> None:
    labelled(project, ["a", "a", "b"])
    write_tone(project.inputs.dataset / "000.wav", hertz=300)
    page = project.report()
    assert "Short previews of 1 of 3 files are in this page" in page.text
    assert "../dataset/" in page.text
    assert "2 files could not be previewed" in page.text
    assert "001.wav There is no such file." in page.text


def test_a_budget_of_nothing_leaves_links(project: Project) -> None:
    labelled(project, ["a", "b"])
    page = project.report(ReportOptions(NO_UMAP.projection, previews_mb=0))
    assert "No previews are in this page" in page.text
    assert page.data["address"] == "../dataset/"
    assert page.previews == {"sounds": {}, "pictures": {}}


def test_links_begin_with_the_way_to_the_dataset(tmp_path: Path) -> None:
    assert (
        relative_address(tmp_path / "my data #1" / "é", tmp_path / "report") == "../my%20data%20%231/%C3%A9/"
    )


def test_similarity_over_time_is_shown_where_there_is_time(mixed: Page, project: Project) -> None:
    assert "Shown are the longest files of different labels." in mixed.text
    assert len(mixed.data["figures"]) == 6
    labelled(project, ["a", "b"])
    assert "No file has 4 or more embeddings, which such a picture needs." in project.report().text


def test_classification_is_shown_with_its_figures(mixed: Page) -> None:
    assert "18 files of 3 classes." in mixed.text
    assert "Linear probe accuracy 94.4 % 80.0 % to 100.0 %" in mixed.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Nothing was evaluated: there is one class only." in mixed.text
    assert "bells taken for rain: 1 of 6" in mixed.attributes("title")


def test_without_the_figures_of_the_classes_it_says_so(project: Project) -> None:
    labelled(project, ["a", "b"])
    project.write_evaluation("audio", [("a", "a"), ("b", "a")], {})
    assert "Each class" in project.report().text
    (project.inputs.evaluation / "audio_classes.csv").unlink()
    text = project.report().text
    assert "2 files of 2 classes." in text
    assert "The evaluation has no figures of the single classes. Run the stage 'evaluate' again." in text
    assert "Each class" not in text


def test_many_classes_have_a_folded_table_and_the_worst_confusions(project: Project) -> None:
    labelled(project, ["a", "b"])
    labels = [f"class {n:02}" for n in range(50)]
    project.write_evaluation("audio", [(label, label) for label in labels] + [(labels[0], labels[1])], {})
    page = project.report()
    assert "All 50 classes" in page.text
    assert "Most frequent confusions Actual Taken for Files class 00 class 01 1 of 2" in page.text
    assert page.html.count("<td></td>") > 2000


def test_a_matrix_that_nobody_could_read_is_left_out(project: Project) -> None:
    labelled(project, ["a", "b"])
    project.write_evaluation("audio", [(f"{n:03}", f"{n + 1:03}") for n in range(300)], {})
    page = project.report()
    assert "With 301 classes a confusion matrix would be too fine to read" in page.text
    assert 'class="confusion' not in page.html.replace('class="confusions"', "")


def test_without_labels_it_says_so_and_goes_on(project: Project) -> None:
    labelled(project, ["", "", ""])
    assert "Nothing was evaluated." in project.report().text


def test_a_dataset_of_failures_alone_has_a_report(project: Project) -> None:
    row = audio_row("a.wav", status="failed", reason="empty", output="", frames=0)
    project.write_export([row], {})
    page = project.report()
    assert "There is no map: no file has embeddings." in page.text
    assert page.summary.startswith("report: 0 files, 0 previews in the page")


def test_one_file_has_a_map_of_its_own(project: Project) -> None:
    labelled(project, ["a"])
    (found,) = project.report().data["maps"]
    assert found["count"] == 0
    assert unpacked(found["views"][0]["points"], "<f4").tolist() == [0, 0]


@pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed")
def test_umap_stands_next_to_pca_where_it_is_installed(project: Project) -> None:
    labelled(project, ["a"] * 9 + ["b"] * 9)
    page = project.report(ReportOptions())
    assert [view["name"] for view in page.data["maps"][0]["views"]] == ["PCA", "UMAP"]
    assert "On a UMAP only who lies next to whom means anything" in page.text


def test_a_large_dataset_makes_a_small_page(project: Project) -> None:
    labelled(project, [f"class {n % 50}" for n in range(2000)], frames=1)
    page = project.report(ReportOptions(NO_UMAP.projection, previews_mb=0))
    assert page.path.stat().st_size < 2000 * 150 + 200_000


def test_an_export_that_does_not_fit_its_manifest_is_an_error(project: Project) -> None:
    labelled(project, ["a", "b", "c"])
    np.save(project.inputs.export / "audio_mean.npy", np.ones((2, DIMENSION), np.float32))
    with pytest.raises(
        OpenL3Error, match=r"audio_mean\.npy: .* 3 rows .* \(2, 16\) .* Run 'dvc repro -f export'"
    ):
        project.report()


def test_without_an_export_it_says_what_is_missing(project: Project) -> None:
    with pytest.raises(OpenL3Error, match=r"There is no .*manifest\.csv"):
        project.report()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"projection": "tsne"}, "report.projection must be one of auto, pca, umap; got 'tsne'"),
        ({"previews_mb": -1}, "report.previews_mb must be at least 0; got -1."),
        ({"neighbours": 0}, "report.neighbours must be at least 1; got 0."),
        ({"seed": -1}, "report.seed must be at least 0; got -1."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_options_that_make_no_sense_are_errors(values: dict[str, object], message: str) -> None:
    with pytest.raises(OpenL3Error, match=re.escape(message)):
        ReportOptions(**values)  # type: ignore[arg-type]


def test_the_stage_says_what_it_wrote(mixed: Page) -> None:
    assert re.fullmatch(
        r"report: 23 files, 23 previews in the page \(0\.\d MB\): 23 computed, 0 reused, 0 failed; "
        r"open .*index\.html",
        mixed.summary,
    )
    assert [path.name for path in mixed.path.parent.iterdir()] == ["index.html"]


def test_doubts_are_listed_by_kind_the_worst_first(mixed: Page) -> None:
    places = [
        mixed.text.index(words)
        for words in (
            "silent 2 files are silent The linear probe took 1 of 2 for another class.",
            "bells/bells_0.wav is silent. rain/rain_3.wav is silent.",
            "black 1 file is all black clip.mp4 is all black.",
            "outlier 1 file is far from all others The linear probe took 1 of 1",
            "copy 1 file is a copy of another The linear probe took 0 of 1 for another class. rain/rain_1",
        )
    ]
    assert places == sorted(places)
    assert "Doubtful files 4 Length of sound" in mixed.text


def test_without_doubts_it_says_so(project: Project) -> None:
    assert "None was found: no copies" in labelled(project, ["a", "b"]).report().text


def test_the_evaluations_notes_are_told_with_its_figures_or_its_reason(project: Project) -> None:
    labelled(project, ["a", "b"])
    notes = ["2 files have copies under other labels: that explains 1 of 3 mistakes", "b was left out"]
    project.write_evaluation("audio", [("a", "a"), ("b", "a")], {"notes": notes})
    text = project.report().text
    assert "that explains 1 of 3 mistakes. B was left out." in text
    project.write_evaluation("audio", [], {"reason": "there is one class only", "notes": notes[1:]})
    assert "there is one class only. B was left out." in project.report().text


def test_its_size_is_said_before_it_is_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(project, ["a", "b"])
    said: dict[str, bool] = {}
    monkeypatch.setattr(report, "say", lambda message: said.update({message: project.page.exists()}))
    page = project.report()
    size_mb = page.path.stat().st_size / 1e6
    assert said == {f"report: the page will have {size_mb:.1f} MB: 2 files, 0.0 MB of previews": False}


@pytest.mark.parametrize(
    ("preview_bytes", "setting"), [(1500, "previews_mb (now 20)"), (500, "neighbours (now 8)")]
)
def test_a_large_page_names_what_makes_it_smaller(
    project: Project,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    preview_bytes: int,
    setting: str,
) -> None:
    monkeypatch.setattr(report, "LARGE_PAGE_BYTES", 1000)
    monkeypatch.setattr(report, "build_report", lambda *_: Report("x" * 2000, 2, 2, preview_bytes))
    project.report()
    words = "report: warning: a page of 0.0 MB opens slowly: a smaller report."
    assert f"{words}{setting} makes it smaller" in capsys.readouterr().err
