"""The ``audio`` command: exit statuses, what it says and where, and which files it takes."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conftest import WriteWav, run_child, tiny_embedding

import l3embed
from l3embed.cli.main import main
from l3embed.models.running import Network, model_network
from l3embed.runtimes.base import Placement
from l3embed.variants import AudioVariant, ContentType, Frontend, InputRepr
from l3embed.weights.source import RandomWeights, WeightsSource


@pytest.fixture(autouse=True)
def models_asked_for(tiny_model: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, WeightsSource]]:
    """The models that commands load, all of which are the tiny one; loading one again costs nothing."""
    asked_for: list[tuple[Any, WeightsSource]] = []

    def load(variant: AudioVariant, source: WeightsSource, placement: Placement) -> Network:
        asked_for.append((variant, source))
        return model_network(tiny_model, placement)

    monkeypatch.setattr("l3embed.core.options.load_network", load)
    return asked_for


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str]]:
    """Run a command; return its status and the lines on standard error, progress bars left out."""
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert out == ""
    return status, [
        line for line in err.splitlines() if line.strip() and not line.startswith("Embedding (window):")
    ]


def outputs(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.npz"))


def test_success(write_wav: WriteWav, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_wav("a.wav")
    assert run(capsys, "audio", path) == (0, ["l3embed: 1 of 1 file done."])
    samples, _ = soundfile.read(path)
    with np.load(path.with_suffix(".npz")) as arrays:
        np.testing.assert_allclose(arrays["embedding"], tiny_embedding(samples, 0.1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_success_in_silence(
    option: str, write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wav("a.wav")
    for _ in range(2):
        assert main(["audio", str(path), option]) == 0
        assert capsys.readouterr() == ("", "")
    assert outputs(tmp_path) == ["a.npz"]


def test_one_bad_file_among_good_ones(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_wav("good.wav")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"")
    missing = tmp_path / "missing.wav"
    status, lines = run(capsys, "audio", "-q", bad, good, missing)
    assert status == 1
    assert lines[0] == "l3embed: 1 of 3 files done, 2 failed:"
    width = len(str(missing))
    assert sorted(lines[1:]) == [
        f"  {bad!s:{width}}  The file is empty (0 bytes).",
        f"  {missing}  There is no such file.",
    ]
    assert outputs(tmp_path) == ["good.npz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--audio-hop-size", "0"], "hop_size must be a positive number", id="hop"),
        pytest.param(["--audio-hop-size", "nan"], "hop_size must be a positive number", id="hop nan"),
        pytest.param(["--audio-batch-size", "0"], "batch_size must be a positive integer", id="batch"),
        pytest.param(["--weights", "nowhere"], "published, random, random:SEED or the path", id="weights"),
    ],
)
def test_bad_values_are_an_error_in_one_line(
    arguments: list[str], message: str, write_wav: WriteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = run(capsys, "audio", write_wav("a.wav"), *arguments)
    assert status == 1
    (line,) = lines
    assert line.startswith("l3embed: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "the following arguments are required: COMMAND", id="no command"),
        pytest.param(["audio"], "the following arguments are required: PATH", id="no input"),
        pytest.param(["sing", "a.wav"], "invalid choice: 'sing'", id="unknown command"),
        pytest.param(["audio", "a.wav", "--loud"], "unrecognized arguments: --loud", id="unknown option"),
        pytest.param(["audio", "a.wav", "-c", "speech"], "invalid choice: 'speech'", id="content type"),
        pytest.param(["audio", "a.wav", "-i", "mel64"], "invalid choice: 'mel64'", id="representation"),
        pytest.param(["audio", "a.wav", "-as", "1024"], "invalid choice: 1024", id="embedding size"),
        pytest.param(["audio", "a.wav", "-af", "torch"], "invalid choice: 'torch'", id="frontend"),
        pytest.param(["audio", "a.wav", "-t", "often"], "invalid float value: 'often'", id="hop"),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert message in err.splitlines()[-1]


def test_the_version_and_those_of_the_runtimes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"l3embed {l3embed.__version__} (")
    assert f"tensorflow {version('tensorflow')}" in said


def test_a_folder_is_not_searched_recursively_and_only_for_audio(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b.wav", "a.WAV", "c.flac", "sub/d.wav"):
        write_wav(name)
    for name in ("notes.txt", "a.npz.txt", "image.png"):
        (tmp_path / name).write_text("no audio")
    (tmp_path / "folder.wav").mkdir()
    assert run(capsys, "audio", tmp_path) == (0, ["l3embed: 3 of 3 files done."])
    assert outputs(tmp_path) == ["a.npz", "b.npz", "c.npz"]


def test_a_folder_is_searched_recursively_if_asked_to(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.wav", "sub/b.wav", "sub/sub/c.wav"):
        write_wav(name)
    assert run(capsys, "audio", tmp_path, "--recursive") == (0, ["l3embed: 3 of 3 files done."])
    assert outputs(tmp_path) == ["a.npz", "sub/b.npz", "sub/sub/c.npz"]


def test_files_and_folders_together(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("one/a.wav")
    write_wav("two/b.wav")
    single = write_wav("one/c.wav")
    status, lines = run(capsys, "audio", tmp_path / "one", tmp_path / "two", single, "-o", tmp_path / "out")
    assert (status, lines) == (0, ["l3embed: 3 of 3 files done."])
    assert outputs(tmp_path) == ["out/a.npz", "out/b.npz", "out/c.npz"]


def test_a_folder_without_audio_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    status, (line,) = run(capsys, "audio", tmp_path)
    assert status == 1
    assert line.startswith(f"l3embed: error: There are no audio files in {tmp_path}")
    assert ".wav" in line


def test_files_of_one_name_keep_their_endings(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("mace.wav", "mace.flac", "mace.wav.wav", "bell.wav", "sub/mace.wav"):
        write_wav(name)
    assert run(capsys, "audio", tmp_path, "--recursive", "-o", tmp_path / "out")[0] == 0
    assert outputs(tmp_path / "out") == [
        "bell.npz",
        "mace.flac.npz",
        "mace.wav.npz",
        "mace.wav.wav.npz",
        "sub/mace.npz",
    ]


def test_two_inputs_with_one_output(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = write_wav("x/a.wav"), write_wav("y/a.wav")
    status, (line,) = run(capsys, "audio", first, second, "-o", tmp_path / "out")
    assert status == 1
    assert f"l3embed: error: {first} and {second} would both be written to" in line
    assert outputs(tmp_path) == []


def test_an_output_that_exists(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wav("a.wav")
    output = tmp_path / "a.npz"
    output.write_bytes(b"mine")
    status, lines = run(capsys, "audio", path)
    assert (status, output.read_bytes()) == (0, b"mine")
    assert lines[0] == f"{output} exists: {path} is skipped (overwriting is off)."

    status, _ = run(capsys, "audio", path, "-ow")
    assert status == 0
    assert output.read_bytes() != b"mine"


def test_warnings_are_lines_that_name_the_file(
    write_wav: WriteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wav("a.wav", 0.5)
    status, lines = run(capsys, "audio", path, "-q")
    assert status == 0
    assert lines == [
        f"l3embed: warning: {path} is shorter than one window (1 second): it is padded with zeros."
    ]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("-i mel128 -c env -as 512 -af kapre -n -t 0.25 -ab 2 -x s", id="short"),
        pytest.param(
            "--input-repr mel128 --content-type env --audio-embedding-size 512 --audio-frontend kapre "
            "--no-audio-centering --audio-hop-size 0.25 --audio-batch-size 2 --suffix s",
            id="long",
        ),
        pytest.param(
            "--input-repr=mel128 --content-type=env --embedding-size=512 --no-audio-centering "
            "--audio-hop-size=0.25 --suffix=s",
            id="as documented",
        ),
    ],
)
def test_options(
    options: str,
    write_wav: WriteWav,
    tmp_path: Path,
    models_asked_for: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_wav("a.wav", 2.0)
    status, _ = run(capsys, "audio", path, *options.split(), "--output-dir", tmp_path / "out")
    assert status == 0
    variant = AudioVariant(InputRepr.MEL128, ContentType.ENV, 512, Frontend.KAPRE)
    assert set(models_asked_for) == {(variant, RandomWeights())}
    with np.load(tmp_path / "out/a_s.npz") as arrays:
        samples, _ = soundfile.read(path)
        expected = tiny_embedding(samples, 0.25, center=False)
        np.testing.assert_allclose(arrays["embedding"], expected, rtol=0, atol=1e-6)


def test_defaults_are_the_releases(
    write_wav: WriteWav, models_asked_for: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """mel256, which the release computes, not mel128, which its documentation says."""
    run(capsys, "audio", write_wav("a.wav"))
    variant = AudioVariant(InputRepr.MEL256, ContentType.MUSIC, 6144, Frontend.KAPRE)
    assert set(models_asked_for) == {(variant, RandomWeights())}


@pytest.mark.parametrize(
    ("weights", "source"), [("random", RandomWeights()), ("random:5", RandomWeights(5))], ids=str
)
def test_weights(
    weights: str,
    source: WeightsSource,
    write_wav: WriteWav,
    models_asked_for: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(capsys, "audio", write_wav("a.wav"), "--weights", weights)
    assert {found for _, found in models_asked_for} == {source}


def test_an_interruption_is_told_and_has_its_status(
    write_wav: WriteWav, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("l3embed.core.options.load_network", interrupt)
    status, (line,) = run(capsys, "audio", write_wav("a.wav"))
    assert status == 130
    assert line.startswith("l3embed: interrupted; what was saved stays")


def test_an_error_in_a_process_of_its_own_is_one_line_without_traceback(tmp_path: Path) -> None:
    missing = tmp_path / "missing.wav"
    done = run_child([sys.executable, "-m", "l3embed", "audio", missing], status=1)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"l3embed: error: {missing}: There is no such file.",
    ]


@pytest.mark.skipif(os.name != "posix", reason="rights are others here")
def test_a_folder_that_cannot_be_read_is_named_and_costs_no_other(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav("a.wav")
    locked = tmp_path / "locked"
    locked.mkdir()
    scan = os.scandir

    def refuse(path: Any) -> Any:  # root may read any folder
        if os.fspath(path) == str(locked):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    status, lines = run(capsys, "audio", tmp_path, "--recursive")
    assert (status, lines[0]) == (1, "l3embed: 1 of 1 file done, 1 failed:")
    assert lines[1].split(maxsplit=1) == [str(locked), "The folder could not be read: Permission denied."]
    assert outputs(tmp_path) == ["a.npz"]


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode here")
def test_a_name_that_is_no_utf_8_is_embedded(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("a.wav").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.wav"))
    assert run(capsys, "audio", tmp_path)[0] == 0
    assert os.fsencode(tmp_path) + b"/\xe9.npz" in map(os.fsencode, tmp_path.iterdir())


def test_a_link_that_leads_nowhere_is_named(
    write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("a.wav")
    (tmp_path / "b.wav").symlink_to("gone.wav")
    status, lines = run(capsys, "audio", tmp_path)
    assert status == 1
    assert lines[1].endswith("It is a link that leads nowhere.")


@pytest.mark.parametrize(("word", "status"), [("use", 0), ("skip", 1)])
def test_a_cut_file_is_used_or_left_out(
    word: str, status: int, write_wav: WriteWav, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wav("a.wav")
    path.write_bytes(path.read_bytes()[:-40_000])
    told, lines = run(capsys, "audio", path, "--on-damage", word)
    assert told == status
    assert "is cut short: its header declares 144000 bytes of sound, and 104000 are there" in lines[0]
    assert (outputs(tmp_path) == ["a.npz"]) == (status == 0)
