"""Which files of a folder are embedded, and what becomes of odd ones."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import reference

from l3embed.errors import OpenL3Error
from l3embed.inputs.media import SourceFile, mono_samples
from l3embed.stages.dataset import Input, Selection, find_inputs
from l3embed.stages.results import Result, read_results
from l3embed.variants import Media, Modality

from .conftest import write_audio, write_image, write_video
from .standin import Project

MIXED = ["a.wav", "b.png", "c.mp4", "d/e.FLAC", "d/f.Jpg", "d/g/h.MKV", "d/notes.txt", "d/labels.csv"]


def touch(folder: Path, names: Iterable[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def paths(folder: Path, selection: Selection = Selection()) -> list[str]:  # noqa: B008
    return [input_.path for input_ in find_inputs(folder, selection).inputs]


def test_each_kind_is_known_by_its_ending_in_any_case(tmp_path: Path) -> None:
    found = find_inputs(touch(tmp_path, MIXED), Selection())
    assert found.inputs == (
        Input("a.wav", Media.AUDIO),
        Input("b.png", Media.IMAGE),
        Input("c.mp4", Media.VIDEO),
        Input("d/e.FLAC", Media.AUDIO),
        Input("d/f.Jpg", Media.IMAGE),
        Input("d/g/h.MKV", Media.VIDEO),
    )
    assert found.left_out == 2
    assert found.counts == "2 audio, 2 image, 2 video (sound and frames)"


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ((Media.AUDIO,), ["a.wav", "d/e.FLAC"]),
        ((Media.IMAGE,), ["b.png", "d/f.Jpg"]),
        ((Media.VIDEO,), ["c.mp4", "d/g/h.MKV"]),
        ((Media.AUDIO, Media.VIDEO), ["a.wav", "c.mp4", "d/e.FLAC", "d/g/h.MKV"]),
    ],
    ids=["audio", "image", "video", "audio and video"],
)
def test_kinds_can_be_selected(tmp_path: Path, media: tuple[Media, ...], expected: list[str]) -> None:
    assert paths(touch(tmp_path, MIXED), Selection(media)) == expected


TREE = ["take1.wav", "take2.wav", "test/take1.wav", "train/a/take1.wav", "train/a/take2.wav", "train/b.wav"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["train/"], [], TREE[3:]),
        (["train/**/take*"], [], TREE[3:5]),
        (["/take*"], [], TREE[:2]),
        (["take1.wav"], [], [TREE[0], TREE[2], TREE[3]]),
        (["test/", "train/b.wav"], [], [TREE[2], TREE[5]]),
        (["train/", "!take2.wav"], [], [TREE[3], TREE[5]]),
        ([], ["train/"], TREE[:3]),
        ([], ["take[2-9].wav"], [TREE[0], TREE[2], TREE[3], TREE[5]]),
        ([], ["*", "!/take1.wav"], TREE[:1]),
        (["train/"], ["take1.wav"], TREE[4:]),
        (["#comment", "", "/take1.wav"], [], TREE[:1]),
    ],
    ids=lambda patterns: " ".join(patterns) if patterns and "*" not in patterns[0][1:] else None,
)
def test_patterns_are_those_of_gitignore(
    tmp_path: Path, include: list[str], exclude: list[str], expected: list[str]
) -> None:
    selection = Selection(include=tuple(include), exclude=tuple(exclude))
    assert paths(touch(tmp_path, TREE), selection) == expected
    assert find_inputs(tmp_path, selection).left_out == len(TREE) - len(expected)


def test_patterns_fit_names_with_line_breaks(tmp_path: Path) -> None:
    touch(tmp_path, ["new\nline/a\nb.wav", "c.wav"])
    assert paths(tmp_path, Selection(include=("*.wav",))) == ["c.wav", "new\nline/a\nb.wav"]
    assert paths(tmp_path, Selection(exclude=("a*b.wav",))) == ["c.wav"]


@pytest.mark.parametrize("pattern", ["!", "\\", "[z-a]"])
def test_a_pattern_that_is_none_is_told(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path, TREE)
    with pytest.raises(OpenL3Error, match=r"dataset\.exclude must be patterns as in \.gitignore; got \["):
        find_inputs(tmp_path, Selection(exclude=(pattern,)))


def test_hidden_files_and_folders_do_not_count(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav", ".b.wav", "._a.wav", ".git/c.wav", "d/.e/f/g.wav", "d/h.wav"])
    found = find_inputs(tmp_path, Selection())
    assert [input_.path for input_ in found.inputs] == ["a.wav", "d/h.wav"]
    assert found.left_out == 0


def test_a_hidden_folder_can_itself_be_the_dataset(tmp_path: Path) -> None:
    assert paths(touch(tmp_path / ".cache", ["a.wav"])) == ["a.wav"]


def test_the_dataset_may_be_a_link_to_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "disk", ["a.wav"])
    (tmp_path / "dataset").symlink_to("disk")
    assert paths(tmp_path / "dataset") == ["a.wav"]


def test_links_to_files_are_followed_and_links_to_folders_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", ["a.wav", "b.wav"])
    dataset = touch(tmp_path / "dataset", ["d/c.wav"])
    (dataset / "a.wav").symlink_to("../elsewhere/a.wav")
    (dataset / "d" / "more").symlink_to("../../elsewhere")
    (dataset / "d" / "self").symlink_to(".")
    (dataset / "d" / ".hidden").symlink_to(".")
    found = find_inputs(dataset, Selection())
    assert [input_.path for input_ in found.inputs] == ["a.wav", "d/c.wav"]
    assert found.linked_folders == ("d/more", "d/self")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"must be a folder, or a listing .*nothing is neither\. Set dataset\.path"),
        ("file.txt", "must be a folder"),
        ("empty", r"no files of the kinds audio, image, video in .*\.3gp.* It holds 0 files\."),
        ("texts", r"It holds 1 file\."),
    ],
    ids=["missing", "file", "empty", "texts"],
)
def test_a_dataset_that_is_none_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    touch(tmp_path, ["file.txt", "texts/a.txt"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(OpenL3Error, match=message):
        find_inputs(tmp_path / name, Selection())


def test_a_dataset_of_which_nothing_fits_names_the_patterns(tmp_path: Path) -> None:
    touch(tmp_path, ["a.wav", "b.png"])
    with pytest.raises(OpenL3Error, match=r"kinds audio in .* fit dataset\.include=\['\*\.ogg'\]") as caught:
        find_inputs(tmp_path, Selection((Media.AUDIO,), ("*.ogg",)))
    assert ".png" not in str(caught.value)


# What the first stages make of odd files.

NAMES = [
    "two words.wav",
    "dots.in.it.v1.2.wav",
    "-leading-dash.wav",
    "日本語.wav",
    "Ελληνικά/عربى.wav",
    "e\u0301 is not \u00e9.wav",
    'a:b?c*d|e"f<g>.wav',
    "percent %d %%.wav",
    "quotes 'n' \\backslash.wav",
    "#hash.wav",
    "!bang.wav",
    "new\nline/and\nanother.wav",
    "carriage\rreturn.wav",
    "comma, tab\t.wav",
    "~tilde.wav",
    "{brace}.wav",
    "trailing space /x.wav",
]


def results_of(project: Project, stage: str = "preprocessed") -> dict[str, Result]:
    return {result.path: result for result in read_results(project.folder / stage)}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_file_may_have_any_name(project: Project, name: str) -> None:
    write_audio(project.dataset / name)
    assert project.run() == ((1, 0, 0), (1, 0, 0), (1, 0, 0))
    assert list(results_of(project, "embeddings")) == [name]
    assert (project.export_folder / name).with_suffix(".npz").is_file()


@pytest.mark.parametrize("name", ["-i.mp4", "日本 語.mp4", "a:b%d.mp4", "new\nline.mp4"], ids=ascii)
def test_a_video_may_have_any_name(project: Project, name: str) -> None:
    write_video(project.dataset / name)
    assert project.run() == ((2, 0, 0), (2, 0, 0), (2, 0, 0))


def test_endings_in_upper_case_are_read_as_the_others(project: Project) -> None:
    write_audio(project.dataset / "A.WAV")
    write_image(project.dataset / "B.PNG")
    write_video(project.dataset / "c.mp4")
    (project.dataset / "c.mp4").rename(project.dataset / "C.MP4")
    assert project.preprocess() == (4, 0, 0)
    assert results_of(project)["B.PNG"].modality is Modality.IMAGE


def test_names_that_differ_in_case_alone_are_two_files(project: Project) -> None:
    for name in ("a.wav", "A.wav"):
        write_audio(project.dataset / name)
    assert project.run()[2] == (2, 0, 0)
    assert {path.name for path in project.export_folder.glob("*.npz")} == {"a.wav.npz", "A.wav.npz"}


def test_a_name_that_is_no_utf_8_fails_by_that_name(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    write_audio(project.dataset / "a.wav")
    write_audio(project.dataset / name)
    assert project.run()[0] == (1, 0, 1)
    result = results_of(project)[r"caf\udce9.wav"]
    assert result.reason == "Its name is not valid UTF-8. Rename it."
    assert r"failed: caf\udce9.wav: Its name is not valid UTF-8." in capfd.readouterr().err


def test_a_folder_whose_name_is_no_utf_8_is_no_obstacle(project: Project) -> None:
    folder = project.dataset / os.fsdecode(b"\xff")
    write_audio(project.dataset / "a.wav")
    write_audio(folder / "b.wav")
    (project.dataset / os.fsdecode(b"\xfe")).symlink_to(folder)
    assert project.preprocess() == (1, 0, 1)


@pytest.mark.parametrize("letter", ["x", "я"], ids=["one byte", "two bytes"])
def test_a_name_that_is_too_long_for_an_output_does_not_stop_the_others(
    project: Project, letter: str
) -> None:
    long = letter * (250 // len(letter.encode())) + ".wav"
    for name in ("a.wav", long):
        write_audio(project.dataset / name)
    assert project.run()[0] == (1, 0, 1)
    assert "name is too long" in results_of(project)[long].reason


@pytest.mark.parametrize("ending", [".wav", ".mp4"])
@pytest.mark.parametrize("length", [245, 246, 247, 249, 251])
def test_a_long_name_is_found_too_long_before_there_is_any_output(
    project: Project, length: int, ending: str
) -> None:
    # The longest outputs are those of a video: ".times.npy" behind its name, "_audio.npz" for its ending.
    source = {".wav": "blip_16k_mono.wav", ".mp4": "clip_12fps.mp4"}[ending]
    write_audio(project.dataset / "a.wav")
    shutil.copyfile(reference(f"inputs/{source}"), project.dataset / ("x" * (length - 4) + ending))
    project.run()
    outputs = [path for path in project.folder.rglob("xxx*") if path.suffix in (".npy", ".npz")]
    complete = {".wav": 3, ".mp4": 7}[ending]
    assert len(outputs) == (complete if length <= 245 else 0)


def test_a_link_that_leads_nowhere_fails_by_name(project: Project) -> None:
    write_audio(project.dataset / "a.wav")
    (project.dataset / "gone.wav").symlink_to("nothing.wav")
    (project.dataset / "loop.wav").symlink_to("loop.wav")
    assert project.preprocess() == (1, 0, 2)
    reasons = {path: result.reason for path, result in results_of(project).items() if not result.is_ok}
    assert reasons == dict.fromkeys(("gone.wav", "loop.wav"), "It is a link that leads nowhere.")


def test_a_link_to_a_file_is_read(project: Project) -> None:
    write_audio(project.folder / "elsewhere.wav")
    (project.dataset / "a.wav").symlink_to("../elsewhere.wav")
    assert project.preprocess() == (1, 0, 0)


def test_a_link_to_a_folder_is_told(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    write_audio(project.dataset / "a.wav")
    (project.dataset / "more").symlink_to(project.folder)
    assert project.preprocess() == (1, 0, 0)
    assert "links to folders are not followed" in capfd.readouterr().err


@contextmanager
def ended_after(seconds: int) -> Iterator[None]:
    """End what waits for ever."""

    def end(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_pipe_is_not_waited_for(project: Project) -> None:
    write_audio(project.dataset / "a.wav")
    os.mkfifo(project.dataset / "pipe.wav")
    with ended_after(30):
        assert project.preprocess() == (1, 0, 1)
    assert "It is no file that can be read" in results_of(project)["pipe.wav"].reason


def test_a_file_that_may_not_be_read_fails_by_name(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.wav", "secret.wav"):
        write_audio(project.dataset / name)
    real = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if path.name == "secret.wav":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    assert project.preprocess() == (1, 0, 1)
    assert results_of(project)["secret.wav"].reason == "It could not be read: Permission denied."


@pytest.fixture
def locked(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose dataset has a folder that may not be read, with a recording in it."""
    write_audio(project.dataset / "lost+found" / "b.wav")
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("lost+found"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    return project


def test_a_folder_that_may_not_be_read_is_told(locked: Project, capfd: pytest.CaptureFixture[str]) -> None:
    write_audio(locked.dataset / "a.wav")
    assert locked.preprocess() == (1, 0, 0)
    assert "these folders cannot be read, nor what is in them: lost+found." in capfd.readouterr().err


def test_a_dataset_of_folders_that_may_not_be_read_is_told(locked: Project) -> None:
    with pytest.raises(OpenL3Error, match=r"There are no files .* could not be read: lost\+found\."):
        locked.preprocess()


@pytest.mark.parametrize("change", ["rewritten", "gone"])
def test_a_file_that_changes_while_it_is_read_fails_and_is_not_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    for name in ("a.wav", "b.wav"):
        write_audio(project.dataset / name)
    victim = project.dataset / "b.wav"

    def meddle(source: SourceFile) -> Any:
        for rows in mono_samples(source):
            if source.path == victim and change == "gone":
                victim.unlink(missing_ok=True)
            elif source.path == victim:
                write_audio(victim, seed=7)
            yield rows

    monkeypatch.setattr("l3embed.inputs.preparation.mono_samples", meddle)
    assert project.preprocess() == (1, 0, 1)
    assert "changed while it was being read" in results_of(project)["b.wav"].reason
    monkeypatch.setattr("l3embed.inputs.preparation.mono_samples", mono_samples)
    write_audio(victim)
    assert project.preprocess() == (1, 1, 0)
