"""Protocols: sound as stable-audio-metrics and kadtk read it, against the whole file at once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from conftest import NEEDS_OPENVINO

import l3embed
from l3embed.core.files import FileJob, Medium, embed_files
from l3embed.distances import Comparison, DistanceOptions, embedding_folders, measure_distances
from l3embed.distances.protocol_sound import protocol_samples
from l3embed.distances.protocols import PROTOCOLS, check_channels, parse_protocol
from l3embed.errors import OpenL3Error
from l3embed.inputs.findings import Findings
from l3embed.inputs.media import SourceFile
from l3embed.inputs.sound import array_blocks, mono_blocks
from l3embed.variants import Media

STABLE_AUDIO, KADTK = PROTOCOLS["stable-audio-metrics"], PROTOCOLS["kadtk"]
PEAK = 10 ** (-1 / 20)

Samples = npt.NDArray[np.float64]


def write(path: Path, rate_hz: int, channels: int, seconds: float = 1.2, seed: int = 0) -> Path:
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (round(seconds * rate_hz), channels))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return path


def read(path: Path, channel: int | None = None, protocol: Any = STABLE_AUDIO) -> Samples:
    return np.concatenate(list(protocol_samples(SourceFile(path, Media.AUDIO), protocol, channel)))


def heard(samples: Samples, rate_hz: int) -> Samples:
    """What OpenL3 makes of samples that are handed to it."""
    return np.concatenate(list(mono_blocks(array_blocks(samples, rate_hz), rate_hz, Findings())))


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_sound_is_normalised_then_resampled_and_handed_on(tmp_path: Path, rate_hz: int) -> None:
    path = write(tmp_path / "a.wav", rate_hz, 2)
    samples, _ = soundfile.read(path)
    samples *= PEAK / np.abs(samples).max()
    if rate_hz != 44_100:
        samples = soxr.resample(samples, rate_hz, 44_100)
    np.testing.assert_allclose(read(path), heard(samples, 44_100), atol=1e-12)
    np.testing.assert_allclose(read(path, channel=1), heard(samples[:, 1], 44_100), atol=1e-12)


def test_the_peak_is_that_of_all_channels(tmp_path: Path) -> None:
    samples = np.zeros((44_100, 2))
    samples[:, 0], samples[:, 1] = 0.1, -0.4
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    assert np.median(read(tmp_path / "a.wav", channel=0)) == pytest.approx(PEAK / 4, rel=1e-3)


def test_silence_stays_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(44_100), 44_100)
    assert not read(tmp_path / "a.wav").any()


def test_mono_is_its_own_right_channel(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 48_000, 1)
    np.testing.assert_array_equal(read(path, channel=1), read(path, channel=0))


def test_more_than_two_channels_are_not_embedded_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 48_000, 6)
    with pytest.raises(OpenL3Error, match="embeds left and right apart; got 6 channels"):
        read(path, channel=0)
    assert read(path).size


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 1), (48_000, 2)])
def test_kadtk_takes_mono_at_48_khz_only(tmp_path: Path, rate_hz: int, channels: int) -> None:
    path = write(tmp_path / "a.wav", rate_hz, channels)
    with pytest.raises(
        OpenL3Error, match=rf"kadtk takes mono at 48,000 Hz; got {channels} channels? at {rate_hz:,}"
    ):
        read(path, protocol=KADTK)


def test_kadtk_leaves_the_samples_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 48_000, 1)
    np.testing.assert_array_equal(read(path, protocol=KADTK), soundfile.read(path)[0])


def test_channels_are_checked() -> None:
    assert check_channels(STABLE_AUDIO, None) == 2
    assert check_channels(KADTK, None) == check_channels(None, None) == 1
    with pytest.raises(OpenL3Error, match=r"The protocol kadtk takes channels=1; got 2"):
        check_channels(KADTK, 2)
    with pytest.raises(OpenL3Error, match=r"Without a protocol, OpenL3 takes channels=1; got 2"):
        check_channels(None, 2)
    with pytest.raises(OpenL3Error, match=r"protocol must be one of stable-audio-metrics, kadtk; got 'fad'"):
        parse_protocol("fad")


def measure(slim_weights: Path, *sides: Path, **options: Any) -> Comparison:
    chosen = DistanceOptions(weights=str(slim_weights), resamples=0, verbose=False, **options)
    return measure_distances(sides[0], sides[1:], chosen, with_statistics=True)


def sounds(folder: Path, seed: int) -> Path:
    """A stereo file, a mono file, and one that is none."""
    write(folder / "stereo.wav", 48_000, 2, seed=seed)
    write(folder / "mono.wav", 44_100, 1, seed=seed + 1)
    (folder / "none.wav").write_bytes(b"no sound")
    return folder


@NEEDS_OPENVINO
@pytest.mark.filterwarnings("ignore::l3embed.OpenL3Warning")
def test_left_and_right_are_embedded_apart_and_put_side_by_side(slim_weights: Path, tmp_path: Path) -> None:
    one, two = sounds(tmp_path / "one", 0), sounds(tmp_path / "two", 5)
    kept = tmp_path / "kept"
    comparison = measure(slim_weights, one, two, protocol="stable-audio-metrics", keep=kept)
    assert comparison.dimension == 1024
    assert comparison.made.channels == 2
    assert sorted(comparison.failures) == [str(one / "none.wav"), str(two / "none.wav")]
    (folder,) = kept.glob("one-*")
    with np.load(folder / "stereo.wav.npz") as stereo, np.load(folder / "mono.wav.npz") as mono:
        assert str(stereo["protocol"]) == "stable-audio-metrics"
        np.testing.assert_array_equal(mono["embedding"][:, :512], mono["embedding"][:, 512:])
        right, _ = l3embed.get_audio_embedding(
            read(one / "stereo.wav", channel=1),
            48_000,
            embedding_size=512,
            hop_size=0.5,
            verbose=False,
            weights=str(slim_weights),
        )
        largest = np.abs(right).max()
        np.testing.assert_allclose(stereo["embedding"][:, 512:], right, atol=1e-5 * largest)
    assert sorted(path.name for path in folder.iterdir()) == ["mono.wav.npz", "stereo.wav.npz"]


@NEEDS_OPENVINO
@pytest.mark.filterwarnings("ignore::l3embed.OpenL3Warning")
def test_kept_embeddings_are_found_again_until_a_sound_changes(
    slim_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = sounds(tmp_path / "one", 0), sounds(tmp_path / "two", 5)
    for folder in (one, two):
        (folder / "none.wav").unlink()
    first = measure(slim_weights, one, two, keep=tmp_path / "kept").distances
    embedded: list[str] = []

    def note(job: FileJob, medium: Medium) -> None:
        embedded.extend(job.outputs)
        embed_files(job, medium)

    monkeypatch.setattr(embedding_folders, "embed_files", note)
    assert measure(slim_weights, one, two, keep=tmp_path / "kept").distances == first
    assert embedded == []
    changed = write(two / "mono.wav", 44_100, 1, seed=9)
    os.utime(changed, (time.time() + 10,) * 2)
    assert measure(slim_weights, one, two, keep=tmp_path / "kept").distances != first
    assert embedded == [str(changed)]


@NEEDS_OPENVINO
@pytest.mark.filterwarnings("ignore::l3embed.OpenL3Warning")
def test_sounds_are_embedded_as_the_side_that_is_embedded_already(slim_weights: Path, tmp_path: Path) -> None:
    """Its network, its hop and its size: nothing of it has to be said again."""
    one, two = sounds(tmp_path / "one", 0), sounds(tmp_path / "two", 5)
    (one / "none.wav").unlink()
    l3embed.process_audio_file(
        [str(path) for path in sorted(one.iterdir())],
        str(tmp_path / "npz"),
        input_repr="mel128",
        embedding_size=512,
        hop_size=0.25,
        weights=str(slim_weights),
        verbose=False,
    )
    comparison = measure(slim_weights, tmp_path / "npz", two)
    assert comparison.made.variant == "audio_mel128_music_512_kapre"
    assert comparison.statistics[str(two)].made.hop_s == 0.25


@NEEDS_OPENVINO
def test_what_is_asked_for_must_not_differ_from_what_is_embedded_already(
    slim_weights: Path, tmp_path: Path
) -> None:
    one, two = sounds(tmp_path / "one", 0), sounds(tmp_path / "two", 5)
    (one / "none.wav").unlink()
    l3embed.process_audio_file(
        [str(path) for path in sorted(one.iterdir())],
        str(tmp_path / "npz"),
        embedding_size=512,
        hop_size=0.5,
        weights=str(slim_weights),
        verbose=False,
    )
    with pytest.raises(OpenL3Error, match=r"npz and what is to be embedded were not computed alike.*0\.5 in"):
        measure(slim_weights, tmp_path / "npz", two, hop_size=0.1)
    with pytest.raises(OpenL3Error, match=r"asked for \(protocol kadtk\).*the protocol: kadtk in"):
        measure(slim_weights, tmp_path / "npz", two, protocol="kadtk")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hop_size": 0.1}, r"The protocol kadtk has hop_size=0\.5; got 0\.1"),
        ({"embedding_size": 6144}, r"The protocol kadtk has embedding_size=512; got 6144"),
        ({"input_repr": "linear"}, r"The protocol kadtk has input_repr=mel256 or mel128; got linear"),
        ({"channels": 2}, r"The protocol kadtk takes channels=1; got 2"),
    ],
    ids=["hop", "size", "network", "channels"],
)
def test_a_protocol_leaves_nothing_else_to_choose(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    one, two = sounds(tmp_path / "one", 0), sounds(tmp_path / "two", 5)
    with pytest.raises(OpenL3Error, match=words):
        measure(tmp_path, one, two, protocol="kadtk", **options)


def test_sides_without_a_common_kind_are_refused(tmp_path: Path) -> None:
    one = sounds(tmp_path / "one", 0)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.png").write_bytes(b"")
    with pytest.raises(OpenL3Error, match=r"nothing that all sides have: .*one has sounds; .*pictures"):
        measure(tmp_path, one, tmp_path / "two")
