"""Audio files to ``.npz`` files: what they hold, where they go, and what a bad file costs the others."""

from __future__ import annotations

import errno
import json
import os
import sys
import zlib
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import CPU_RUNTIME, NEEDS_OWN_PEAK, OWN_PEAK, WriteWav, run_child, tiny_embedding

import l3embed as openl3
from l3embed import OpenL3Error, OpenL3Warning
from l3embed.decoding.recording import open_recording
from l3embed.disk.atomic import replacing
from l3embed.disk.rows import RowSpool
from l3embed.errors import FilesError
from l3embed.runtimes.keras import KerasEmbedder


def names_below(folder: Path) -> list[str]:
    """All files, hidden ones included, by their paths in the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def load(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make loading a model a failure of the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("l3embed.core.options.load_network", refuse)


def fail_to_write(monkeypatch: pytest.MonkeyPatch, error: BaseException, times: int = 1_000) -> None:
    """Let writing an array fail, after the embeddings were written, the first so many times."""
    write_array: Any = np.lib.format.write_array
    left = [times]

    def write(*args: Any, **options: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise error
        write_array(*args, **options)

    monkeypatch.setattr("numpy.lib.format.write_array", write)


def test_an_output_holds_the_embeddings_and_what_made_them(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("a.wav", 2.2)
    openl3.process_audio_file(str(path), model=tiny_model, hop_size=0.5, verbose=False)

    arrays = load(path.with_suffix(".npz"))
    samples, _ = soundfile.read(path)
    assert list(arrays) == [
        *("embedding", "timestamps"),
        *("variant", "weights", "precision", "runtime", "version"),
    ]
    np.testing.assert_allclose(arrays["embedding"], tiny_embedding(samples, 0.5), rtol=0, atol=1e-6)
    assert arrays["embedding"].dtype == np.float32
    np.testing.assert_array_equal(arrays["timestamps"], [0.0, 0.5, 1.0, 1.5, 2.0])
    assert [str(arrays[name]) for name in ("variant", "weights", "precision", "runtime", "version")] == [
        "custom",
        *("unknown", "unknown"),
        "keras",
        openl3.__version__,
    ]


def test_an_output_names_the_model_and_its_weights(write_wav: WriteWav) -> None:
    path = write_wav("a.wav", 0.4)
    with pytest.warns(openl3.OpenL3Warning, match="shorter than one window"):
        openl3.process_audio_file(str(path), input_repr="mel128", embedding_size=512)
    arrays = load(path.with_suffix(".npz"))
    assert str(arrays["variant"]) == "audio_mel128_music_512_kapre"
    assert str(arrays["weights"]) == "random:20260101"
    assert str(arrays["precision"]) == "float32"
    assert str(arrays["runtime"]) == CPU_RUNTIME


def test_a_file_gives_what_its_samples_give(write_wav: WriteWav, tiny_model: Any) -> None:
    """At another rate, in stereo, and longer than a block of the decoder."""
    path = write_wav("a.wav", 24, 11_025)
    samples, sr = soundfile.read(path)
    stereo = np.stack([samples, samples[::-1]], axis=1)
    soundfile.write(path, stereo, sr)

    openl3.process_audio_file(str(path), model=tiny_model, hop_size=0.3)
    expected, timestamps = openl3.get_audio_embedding(
        soundfile.read(path)[0], sr, model=tiny_model, hop_size=0.3
    )
    arrays = load(path.with_suffix(".npz"))
    np.testing.assert_allclose(arrays["embedding"], expected, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(arrays["timestamps"], timestamps)


def test_the_same_input_gives_the_same_bytes(write_wav: WriteWav, tiny_model: Any, tmp_path: Path) -> None:
    path = write_wav("a.wav")
    for folder in ("one", "two"):
        openl3.process_audio_file(str(path), output_dir=str(tmp_path / folder), model=tiny_model)
    assert (tmp_path / "one/a.npz").read_bytes() == (tmp_path / "two/a.npz").read_bytes()


def test_folder_and_suffix_of_outputs(write_wav: WriteWav, tiny_model: Any, tmp_path: Path) -> None:
    path = write_wav("in/a.wav")
    openl3.process_audio_file(str(path), model=tiny_model)
    openl3.process_audio_file(str(path), suffix="x", model=tiny_model)
    openl3.process_audio_file(
        str(path), output_dir=str(tmp_path / "new/folder"), suffix="x", model=tiny_model
    )
    openl3.process_audio_file(path, output_dir=tmp_path / "paths", model=tiny_model)
    assert names_below(tmp_path) == [
        "in/a.npz",
        "in/a.wav",
        "in/a_x.npz",
        "new/folder/a_x.npz",
        "paths/a.npz",
    ]


@pytest.mark.usefixtures("no_model")
def test_an_output_that_exists_is_left_alone_and_no_model_is_loaded(
    write_wav: WriteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wav("a.wav")
    output = path.with_suffix(".npz")
    output.write_bytes(b"mine")
    openl3.process_audio_file(str(path))
    assert output.read_bytes() == b"mine"
    assert f"{output} exists" in capsys.readouterr().err


def test_overwriting_replaces_an_output(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("a.wav")
    path.with_suffix(".npz").write_bytes(b"old")
    openl3.process_audio_file(str(path), model=tiny_model, overwrite=True)
    assert load(path.with_suffix(".npz"))["embedding"].shape == (11, 4)


@pytest.mark.parametrize("existing", ["a", "b", "c"])
def test_an_output_that_exists_costs_no_other_file(
    existing: str, write_wav: WriteWav, tiny_model: Any, tmp_path: Path
) -> None:
    """The release lost what came before, if it was the last of the list whose output existed."""
    paths = [str(write_wav(f"{name}.wav", seed=seed)) for seed, name in enumerate("abc")]
    (tmp_path / f"{existing}.npz").write_bytes(b"mine")
    openl3.process_audio_file(paths, model=tiny_model)
    assert (tmp_path / f"{existing}.npz").read_bytes() == b"mine"
    for name in set("abc") - {existing}:
        samples, _ = soundfile.read(tmp_path / f"{name}.wav")
        embedding = load(tmp_path / f"{name}.npz")["embedding"]
        np.testing.assert_allclose(embedding, tiny_embedding(samples, 0.1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_every_file_gets_its_own_embeddings(
    batch_size: int, write_wav: WriteWav, tiny_model: Any, tmp_path: Path
) -> None:
    paths = [write_wav(f"{seed}.wav", 1.0 + seed / 3, seed=seed) for seed in range(5)]
    openl3.process_audio_file(
        [str(path) for path in paths], model=tiny_model, hop_size=0.4, batch_size=batch_size
    )
    for path in paths:
        expected = tiny_embedding(soundfile.read(path)[0], 0.4)
        embedding = load(path.with_suffix(".npz"))["embedding"]
        np.testing.assert_allclose(embedding, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch_size", [2, 32], ids=["batches within a file", "batches across files"])
def test_bad_files_cost_only_themselves(
    batch_size: int, write_wav: WriteWav, tiny_model: Any, tmp_path: Path
) -> None:
    good = [str(write_wav(f"good{seed}.wav", seed=seed)) for seed in range(3)]
    text = tmp_path / "text.wav"
    text.write_text("This is no audio.")
    cut = write_wav("cut.flac", 15)
    cut.write_bytes(cut.read_bytes()[:-100_000])
    missing = str(tmp_path / "missing.wav")

    with pytest.raises(FilesError, match="3 of 6 files could not be processed") as caught:
        openl3.process_audio_file(
            [good[0], str(text), good[1], str(cut), missing, good[2]],
            model=tiny_model,
            batch_size=batch_size,
            on_damage="skip",
        )

    assert isinstance(caught.value, OpenL3Error)
    assert set(caught.value.failures) == {str(text), str(cut), missing}
    assert "could not be read as audio" in caught.value.failures[str(text)]
    assert "cut short" in caught.value.failures[str(cut)]
    assert caught.value.failures[missing] == "There is no such file."
    assert [name for name in names_below(tmp_path) if name.endswith(".npz")] == [
        "good0.npz",
        "good1.npz",
        "good2.npz",
    ]
    for path in good:
        expected = tiny_embedding(soundfile.read(path)[0], 0.1)
        np.testing.assert_allclose(
            load(Path(path).with_suffix(".npz"))["embedding"], expected, rtol=0, atol=1e-6
        )


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("inputs", "output_dir"),
    [(("x/a.wav", "y/a.wav"), "out"), (("x/a.wav", "x/a.flac"), None)],
    ids=["one name in two folders", "two formats of one name"],
)
def test_two_inputs_with_one_output_are_refused_before_any_work(
    inputs: tuple[str, str], output_dir: str | None, write_wav: WriteWav, tmp_path: Path
) -> None:
    first, second = (str(write_wav(path)) for path in inputs)
    other = str(write_wav("other.wav"))
    with pytest.raises(OpenL3Error, match="would both be written to") as caught:
        openl3.process_audio_file(
            [other, first, second], output_dir=output_dir and str(tmp_path / output_dir)
        )
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert not list(tmp_path.rglob("*.npz"))


def test_an_input_given_twice_is_done_once(write_wav: WriteWav, tiny_model: Any, tmp_path: Path) -> None:
    path = str(write_wav("a.wav"))
    openl3.process_audio_file([path, path], model=tiny_model)
    assert names_below(tmp_path) == ["a.npz", "a.wav"]


def test_a_full_disk_costs_the_files_that_it_hits(
    write_wav: WriteWav, tiny_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(write_wav(f"{name}.wav")) for name in "ab"]
    fail_to_write(monkeypatch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), times=1)
    with pytest.raises(FilesError, match="1 of 2 files") as caught:
        openl3.process_audio_file(paths, model=tiny_model)
    assert list(caught.value.failures) == [paths[0]]
    assert "could not be written: No space left on device" in caught.value.failures[paths[0]]
    assert names_below(tmp_path) == ["a.wav", "b.npz", "b.wav"]


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt()], ids=["fault", "interrupt"]
)
def test_what_ends_the_writing_leaves_nothing_half_written(
    error: BaseException,
    write_wav: WriteWav,
    tiny_model: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_wav("a.wav")
    fail_to_write(monkeypatch, error)
    with pytest.raises(FilesError if isinstance(error, OSError) else KeyboardInterrupt):
        openl3.process_audio_file(str(path), model=tiny_model)
    assert names_below(tmp_path) == ["a.wav"]


def test_an_old_output_stays_when_its_replacement_fails(
    write_wav: WriteWav, tiny_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_wav("a.wav")
    (tmp_path / "a.npz").write_bytes(b"old")
    fail_to_write(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(FilesError, match="No space left"):
        openl3.process_audio_file(str(path), model=tiny_model, overwrite=True)
    assert (tmp_path / "a.npz").read_bytes() == b"old"
    assert names_below(tmp_path) == ["a.npz", "a.wav"]


def test_an_output_folder_that_is_a_file_is_refused(
    write_wav: WriteWav, tiny_model: Any, tmp_path: Path
) -> None:
    path = write_wav("a.wav")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FilesError, match=r"\.npz could not be written"):
        openl3.process_audio_file(str(path), output_dir=str(tmp_path / "out"), model=tiny_model)


MEASURE_MEMORY = """
import json, sys
import keras
import l3embed as openl3

inputs = keras.Input((1, 48_000))
outputs = keras.layers.GlobalAveragePooling1D(data_format="channels_first")(inputs)
model = keras.Model(inputs, outputs)

peaks = []
for path in sys.argv[1:]:
    openl3.process_audio_file(path, model=model, hop_size=0.5, batch_size=8, verbose=False)
    peaks.append(own_peak_kib() / 1024)
print(json.dumps(peaks))
"""


def write_long_wav(path: Path, seconds: int) -> str:
    """Write noise piece by piece, so that this process stays small too."""
    second = (np.random.default_rng(0).uniform(-0.5, 0.5, 48_000) * 32_767).astype(np.int16)
    with soundfile.SoundFile(path, "w", samplerate=48_000, channels=1, subtype="PCM_16") as file:
        for _ in range(seconds):
            file.write(second)
    return str(path)


@NEEDS_OWN_PEAK
@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_file(tmp_path: Path) -> None:
    """The release held 5 MB for each second: here, ten minutes cost what twenty seconds cost."""
    paths = [write_long_wav(tmp_path / "short.wav", 20), write_long_wav(tmp_path / "long.wav", 600)]
    done = run_child([sys.executable, "-c", OWN_PEAK + MEASURE_MEMORY, *paths])
    short_mb, long_mb = json.loads(done.stdout.splitlines()[-1])
    assert load(tmp_path / "long.npz")["embedding"].shape == (1200, 1)
    # All samples in double precision would be 230 MB.
    assert long_mb - short_mb < 40


@pytest.mark.filterwarnings("ignore:.*shorter than one window")
def test_batches_are_of_the_size_asked_for_whatever_the_rate(
    write_wav: WriteWav, monkeypatch: pytest.MonkeyPatch, tiny_model: Any
) -> None:
    """The release sized them by the inverse of the rates' ratio: files at 8 kHz were held by the hundred."""
    sizes: list[int] = []
    compute = KerasEmbedder.embed

    def embed(
        self: KerasEmbedder, batch: npt.NDArray[np.float32], stop: Event | None = None
    ) -> npt.NDArray[np.float32]:
        sizes.append(len(batch))
        return compute(self, batch)

    monkeypatch.setattr(KerasEmbedder, "embed", embed)
    paths = [str(write_wav(f"{name}.wav", 0.7, 8_000)) for name in "abcd"]  # three windows each

    openl3.process_audio_file(paths, model=tiny_model, batch_size=5, verbose=False)

    assert sizes == [5, 5, 2]


def test_what_is_there_of_a_cut_file_is_embedded_with_a_warning(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("cut.wav", 4)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 96_000])
    with pytest.warns(OpenL3Warning, match=r"cut\.wav is cut short: its header declares 384000 bytes"):
        openl3.process_audio_file(str(path), model=tiny_model, verbose=False)
    samples, _ = soundfile.read(path)
    assert len(samples) == 96_000
    embedding = load(path.with_suffix(".npz"))["embedding"]
    np.testing.assert_allclose(embedding, tiny_embedding(samples, 0.1), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "fault", [MemoryError(), zlib.error("invalid block"), BaseException("panic")], ids=repr
)
def test_whatever_a_reader_raises_costs_its_file_alone(
    fault: BaseException, write_wav: WriteWav, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(write_wav(f"{name}.wav")) for name in "abc"]
    opened = open_recording

    def open_or_fail(path: Path) -> Any:
        if path.name == "b.wav":
            raise fault
        return opened(path)

    monkeypatch.setattr("l3embed.inputs.media.open_recording", open_or_fail)
    with pytest.raises(FilesError, match="1 of 3 files could not be processed") as caught:
        openl3.process_audio_file(paths, model=tiny_model, verbose=False)

    assert type(fault).__name__ in caught.value.failures[paths[1]]
    assert [Path(path).with_suffix(".npz").is_file() for path in paths] == [True, False, True]


def test_a_fault_in_saving_costs_its_file_alone(
    write_wav: WriteWav, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(write_wav(f"{name}.wav")) for name in "ab"]
    save = RowSpool.save_npz

    def save_or_fail(self: RowSpool, path: Path, *others: Any) -> None:
        if path.name == "a.npz":
            raise MemoryError
        save(self, path, *others)

    monkeypatch.setattr(RowSpool, "save_npz", save_or_fail)
    with pytest.raises(FilesError) as caught:
        openl3.process_audio_file(paths, model=tiny_model, verbose=False)
    assert caught.value.failures == {paths[0]: "It could not be saved: MemoryError."}


def test_a_name_that_no_file_can_have_costs_itself_alone(write_wav: WriteWav, tiny_model: Any) -> None:
    good, long = str(write_wav("a.wav")), f"{'x' * 5000}.wav"
    with pytest.raises(FilesError, match="2 of 3 files") as caught:
        openl3.process_audio_file([good, long, "nul\0.wav"], model=tiny_model, verbose=False)
    assert set(caught.value.failures) == {long, "nul\0.wav"}


def leave_half(path: Path) -> Path:
    """Begin to write a file, and never end: as a process that is killed meanwhile."""
    with replacing(path) as temporary:
        name = temporary.name
        temporary.touch()
    path.unlink()
    left = path.with_name(name)
    left.write_bytes(b"half")
    return left


def test_what_a_killed_run_has_left_of_an_output_is_removed(write_wav: WriteWav, tiny_model: Any) -> None:
    path = write_wav("a.wav")
    left, other = leave_half(path.with_suffix(".npz")), leave_half(path.with_name("another.npz"))
    openl3.process_audio_file(str(path), model=tiny_model, verbose=False)
    assert not left.exists()
    assert other.exists()  # another run may be writing it
