"""Inputs that fail: tried each time, never kept, and gone past or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from l3embed.app.params import compose_params
from l3embed.app.stage import main as stage_main
from l3embed.errors import OpenL3Error
from l3embed.stages.results import OnError
from l3embed.store.entries import Store
from l3embed.store.pruning import stored_results
from l3embed.store.recipe import Step

from .conftest import FILES, REPOSITORY, write_audio, write_video
from .standin import Project


def test_a_failure_is_tried_again_each_time_and_never_kept(computed: Project) -> None:
    (computed.dataset / "bad.wav").write_bytes(b"RIFF")
    assert computed.run()[0] == (0, FILES, 1)
    assert computed.run() == ((0, FILES, 1),) * 3
    with Store() as store:
        assert sum(stored.step is Step.PREPROCESS for stored in stored_results(store.folder)) == FILES


def test_a_mended_file_is_computed_alone(computed: Project) -> None:
    (computed.dataset / "bad.wav").write_bytes(b"RIFF")
    computed.run()
    write_audio(computed.dataset / "bad.wav")
    assert computed.run() == ((1, FILES, 0),) * 3


def test_a_fault_of_the_program_is_not_kept_either(
    computed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audio(computed.dataset / "new.wav")

    def fail(path: Path, *others: object) -> Any:
        raise OpenL3Error("ffmpeg could not be started.")
        yield

    with monkeypatch.context() as broken:
        broken.setattr("l3embed.inputs.preparation.mono_samples", fail)
        assert computed.preprocess() == (0, FILES, 1)
    assert computed.preprocess() == (1, FILES, 0)


def test_a_video_of_which_one_part_fails_keeps_the_other(
    mixed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(mixed.dataset / "new.mp4", 0.6)

    def fail(video: object) -> Any:
        raise OpenL3Error("No sound of the file could be decoded.")
        yield

    with monkeypatch.context() as broken:
        broken.setattr("l3embed.decoding.video.VideoFile.audio_blocks", fail)
        assert mixed.preprocess() == (1, 4, 1)
    assert mixed.preprocess() == (1, 5, 0)


def failing(project: Project) -> Project:
    """The project, ending at the first failure."""
    return replace(project, preprocess_options=replace(project.preprocess_options, on_error=OnError.FAIL))


def test_skip_goes_on_past_failures(computed: Project, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("1 bad.wav", "2 bad.wav"):
        (computed.dataset / name).write_bytes(b"")
    assert computed.run() == ((0, FILES, 2),) * 3
    err = capfd.readouterr().err
    assert "preprocess: failed: 1 bad.wav: The file is empty (0 bytes)." in err
    assert "preprocess: failed: 2 bad.wav: The file is empty (0 bytes)." in err


@pytest.mark.parametrize("name", ["bad.wav", "folder/2 bad.wav", "z.wav"])
def test_fail_ends_at_the_first_failure(computed: Project, name: str) -> None:
    (computed.dataset / name).write_bytes(b"")
    write_audio(computed.dataset / "zz.wav")
    with pytest.raises(OpenL3Error, match=rf"^{name}: The file is empty .*on_error=skip would go on"):
        failing(computed).preprocess()
    assert not (computed.folder / "preprocessed" / "results.csv").exists()
    assert computed.preprocess() == (1, FILES, 1)


def test_fail_ends_at_a_file_that_cannot_even_be_opened(computed: Project) -> None:
    (computed.dataset / "gone.wav").symlink_to("nothing.wav")
    with pytest.raises(OpenL3Error, match=r"gone\.wav: It is a link that leads nowhere"):
        failing(computed).preprocess()


def test_a_stage_that_fails_ends_with_status_1_and_one_line(
    computed: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (computed.dataset / "bad.wav").write_bytes(b"")
    overrides = ["dataset=folder", "dataset.path=dataset", "weights=random", "on_error=fail"]
    (computed.folder / "params.yaml").write_text(compose_params(REPOSITORY / "conf", overrides))
    monkeypatch.chdir(computed.folder)
    capfd.readouterr()
    assert stage_main(["preprocess"]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    reason = "bad.wav: The file is empty (0 bytes)."
    assert last == f"preprocess: error: {reason} (on_error=skip would go on with the others.)"
