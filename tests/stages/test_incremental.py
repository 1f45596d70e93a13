"""What is computed as files and parameters change, and what is reused: by the stages' own counts."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from l3embed.errors import OpenL3Error
from l3embed.inputs.preparation import Spectrograms
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.stages.output_folder import MARK_FILE, make_empty
from l3embed.variants import AudioVariant, ContentType, Frontend, ImageVariant, InputRepr, Modality

from .conftest import ALL_REUSED, FILES, first, write_audio, write_image, write_video
from .standin import SIZE, VARIANTS, Project, write_weights


def exported(project: Project) -> set[str]:
    folder = project.export_folder
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.npz")}


def test_the_same_files_are_computed_once(computed: Project) -> None:
    before = computed.outputs()
    assert computed.run() == ALL_REUSED
    assert computed.outputs() == before


def test_an_added_file_is_computed_alone(computed: Project) -> None:
    write_audio(computed.dataset / "another.wav")
    assert computed.run() == ((1, FILES, 0),) * 3
    assert "another.npz" in exported(computed)


def test_an_added_image_and_video_are_computed_alone(computed: Project) -> None:
    write_image(computed.dataset / "b.png")
    write_video(computed.dataset / "c.mp4")
    assert computed.run() == ((3, FILES, 0),) * 3


def test_a_renamed_file_is_not_computed_again(computed: Project) -> None:
    first(computed).rename(first(computed).with_name("renamed.wav"))
    assert computed.run() == ALL_REUSED
    assert exported(computed) == {"folder/renamed.npz", "folder/1.npz", "folder/2.npz", "folder/3.npz"}


def test_a_moved_folder_is_not_computed_again(computed: Project) -> None:
    (computed.dataset / "folder").rename(computed.dataset / "moved")
    assert computed.run() == ALL_REUSED
    assert exported(computed) == {f"moved/{number}.npz" for number in range(FILES)}


def test_a_dataset_elsewhere_is_not_computed_again(computed: Project) -> None:
    other = Project(computed.folder.with_name("other"))
    shutil.copytree(computed.dataset, other.dataset)
    assert other.run() == ALL_REUSED
    assert other.outputs() == computed.outputs()


def test_a_copy_is_not_computed_again(computed: Project) -> None:
    shutil.copyfile(first(computed), computed.dataset / "copy.wav")
    assert computed.run() == ((0, FILES + 1, 0),) * 3
    files = computed.export_folder / "copy.npz", computed.export_folder / "folder" / "0.npz"
    assert files[0].read_bytes() == files[1].read_bytes()


def test_copies_within_one_run_are_computed_once(project: Project) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        write_audio(project.dataset / name, seed=5)
    write_audio(project.dataset / "other.wav")
    assert project.run() == ((2, 2, 0),) * 3
    assert exported(project) == {"a.npz", "b.npz", "c.npz", "other.npz"}


def test_a_deleted_file_leaves_no_output(computed: Project) -> None:
    first(computed).unlink()
    assert computed.run() == ((0, FILES - 1, 0),) * 3
    left = [name for name in computed.outputs() if "0" in Path(name).name]
    assert not left


def test_a_file_that_comes_back_is_not_computed_again(computed: Project) -> None:
    content = first(computed).read_bytes()
    first(computed).unlink()
    computed.run()
    first(computed).write_bytes(content)
    assert computed.run() == ALL_REUSED


@pytest.mark.parametrize("age_s", [-1000, 0, 1000], ids=["later", "now", "earlier"])
def test_a_touched_file_is_not_computed_again(computed: Project, age_s: float) -> None:
    then_s = time.time() - age_s
    os.utime(first(computed), (then_s, then_s))
    assert computed.run() == ALL_REUSED


def test_a_changed_file_is_computed_alone(computed: Project) -> None:
    before = (computed.export_folder / "folder" / "0.npz").read_bytes()
    write_audio(first(computed), seconds=0.2, seed=99)
    assert computed.run() == ((1, FILES - 1, 0),) * 3
    assert (computed.export_folder / "folder" / "0.npz").read_bytes() != before


def test_the_same_sound_in_another_format_is_not_embedded_again(computed: Project) -> None:
    # Both hold the same 16-bit samples: what the network takes in is the same, and that is what counts.
    import soundfile

    samples, rate_hz = soundfile.read(first(computed), dtype="int16")
    soundfile.write(computed.dataset / "same.flac", samples, rate_hz)
    assert computed.run() == ((1, FILES, 0), (0, FILES + 1, 0), (0, FILES + 1, 0))


# Parameters.


def variants(**changes: Any) -> dict[Modality, AudioVariant | ImageVariant]:
    image = {name: value for name, value in changes.items() if name != "frontend"}
    return {
        Modality.AUDIO: AudioVariant(**{"input_repr": InputRepr.MEL128, "embedding_size": SIZE, **changes}),
        Modality.IMAGE: ImageVariant(**{"input_repr": InputRepr.MEL128, "embedding_size": SIZE, **image}),
    }


EMBED_CHANGES: dict[str, tuple[dict[str, Any], int]] = {
    "hop": ({"framing": Framing(hop_s=0.1)}, 2),
    "centring": ({"framing": Framing(hop_s=0.5, center=False)}, 2),
    "representation": ({"variants": variants(input_repr=InputRepr.LINEAR)}, 4),
    "content": ({"variants": variants(content_type=ContentType.ENV)}, 4),
    "audio size": (
        {"variants": {**VARIANTS, Modality.AUDIO: AudioVariant(InputRepr.MEL128, embedding_size=6144)}},
        2,
    ),
}
"""Changes of what embeds, and how many of the mixed project's four inputs they concern."""


@pytest.mark.parametrize(("changes", "concerned"), EMBED_CHANGES.values(), ids=EMBED_CHANGES)
def test_a_parameter_that_matters_computes_what_it_concerns(
    mixed: Project, changes: dict[str, Any], concerned: int
) -> None:
    assert mixed.preprocess() == (0, 4, 0)
    assert mixed.with_embed(**changes).embed() == (concerned, 4 - concerned, 0)


@pytest.mark.parametrize(("changes", "concerned"), EMBED_CHANGES.values(), ids=EMBED_CHANGES)
def test_going_back_to_a_parameter_computes_nothing(
    mixed: Project, changes: dict[str, Any], concerned: int
) -> None:
    before = mixed.outputs()
    mixed.with_embed(**changes).embed()
    assert mixed.run() == ((0, 4, 0),) * 3
    assert mixed.outputs() == before


@pytest.mark.parametrize(
    "changes",
    [{"batch_size": 1}, {"batch_size": 32}, {"placement": Placement(threads=2)}],
    ids=["1", "32", "threads"],
)
def test_a_parameter_that_does_not_matter_computes_nothing(mixed: Project, changes: dict[str, Any]) -> None:
    assert mixed.with_embed(**changes).embed() == (0, 4, 0)


def test_other_weights_are_other_results(mixed: Project) -> None:
    write_weights(mixed.folder / "weights", seed=2)
    assert mixed.run() == ((0, 4, 0), (4, 0, 0), (4, 0, 0))
    write_weights(mixed.folder / "weights", seed=1)
    assert mixed.run() == ((0, 4, 0),) * 3


def test_weights_of_the_same_name_and_other_bytes_are_other_results(mixed: Project) -> None:
    write_weights(mixed.folder / "weights", seed=1, content="made by another release")
    assert mixed.embed() == (4, 0, 0)


def test_all_variants_share_the_samples(mixed: Project) -> None:
    for changes, _ in EMBED_CHANGES.values():
        assert mixed.preprocess() == (0, 4, 0)
        mixed.with_embed(**changes).embed()


SPECTROGRAMS = Spectrograms(InputRepr.MEL128, Framing(hop_s=0.5))


@pytest.fixture
def by_librosa(mixed: Project) -> Project:
    """The mixed project with the other frontend."""
    return mixed.with_sound(SPECTROGRAMS).with_embed(variants=variants(frontend=Frontend.LIBROSA))


def test_another_frontend_computes_what_is_made_of_sound(by_librosa: Project) -> None:
    # Neither images nor frames.
    assert by_librosa.run() == ((2, 2, 0), (2, 2, 0), (2, 2, 0))


@pytest.mark.parametrize(
    "sound",
    [
        Spectrograms(InputRepr.MEL128, Framing(hop_s=0.1)),
        Spectrograms(InputRepr.MEL128, Framing(hop_s=0.5, center=False)),
        Spectrograms(InputRepr.MEL256, Framing(hop_s=0.5)),
    ],
    ids=["hop", "centring", "representation"],
)
def test_other_spectrograms_are_other_results(by_librosa: Project, sound: Spectrograms) -> None:
    by_librosa.run()
    assert by_librosa.with_sound(sound).preprocess() == (2, 2, 0)
    assert by_librosa.preprocess() == (0, 4, 0)


def test_a_number_of_another_type_is_the_same_parameter(by_librosa: Project) -> None:
    # A hop of 1 and one of 1.0 come from YAML and from the command line.
    assert by_librosa.with_sound(Spectrograms(InputRepr.MEL128, Framing(hop_s=1.0))).preprocess()[0] == 2
    whole = Spectrograms(InputRepr.MEL128, Framing(hop_s=1))
    assert by_librosa.with_sound(whole).preprocess() == (0, 4, 0)


def test_a_folder_with_other_files_is_not_emptied(project: Project) -> None:
    write_audio(project.dataset / "a.wav")
    (project.folder / "preprocessed").mkdir()
    precious = project.folder / "preprocessed" / "thesis.txt"
    precious.write_text("three years of work")
    with pytest.raises(OpenL3Error, match="holds files that are not the pipeline's"):
        project.run_preprocess()
    assert precious.read_text() == "three years of work"


def test_a_folder_that_was_being_emptied_when_the_run_was_killed_is_still_the_stage_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_killed(path: Path) -> None:
        unlink(path)
        raise KeyboardInterrupt

    unlink, entries = Path.unlink, Path.iterdir
    make_empty(tmp_path / "export")
    for name in ("manifest.csv", "manifest.parquet"):
        (tmp_path / "export" / name).touch()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda folder: iter(sorted(entries(folder))))
        patch.setattr(Path, "unlink", be_killed)
        with pytest.raises(KeyboardInterrupt):
            make_empty(tmp_path / "export")
    make_empty(tmp_path / "export")
    assert [path.name for path in (tmp_path / "export").iterdir()] == [MARK_FILE]
