"""``l3embed prove`` and ``l3embed check`` on exports of the pipeline, with slim networks."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
from conftest import noise
from stages.conftest import write_video

from l3embed.disk.seals import SEALS_FILE

from .conftest import (
    HOP_S,
    PICTURES,
    SECONDS,
    Run,
    forge,
    own_checksum,
    read_json,
    run_pipeline,
    write_sounds,
)

ALL = sum((3, 8, 4)) + len(PICTURES)
"""Windows of 1.5, 4 and 2 s: 1 + ceil((seconds - 0.5) / 0.5), and the picture."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sounds(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, dataset: Path, slim_weights: Path) -> dict[str, Path]:
    """The same dataset in both layouts; not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("L3EMBED_STORE", str(folder / "store"))
        return {
            "files": run_pipeline(folder / "files", dataset, slim_weights),
            "packed": run_pipeline(folder / "packed", dataset, slim_weights, "layout=packed"),
            "halves": run_pipeline(
                folder / "halves", dataset, slim_weights, "layout=packed", "layout.dtype=float16"
            ),
        }


@pytest.fixture
def proof(tmp_path: Path, exported: dict[str, Path], run: Run) -> Path:
    status, _, _ = run("prove", exported["files"], "-o", tmp_path / "proof.json")
    assert status == 0
    return tmp_path / "proof.json"


@pytest.fixture
def weights(slim_weights: Path) -> tuple[str, Path]:
    return ("--weights", slim_weights)


@pytest.mark.parametrize(("layout", "bound"), [("files", "1e-5"), ("packed", "1e-5"), ("halves", "1e-3")])
def test_what_was_proven_is_computed_again(
    layout: str,
    bound: str,
    exported: dict[str, Path],
    tmp_path: Path,
    run: Run,
    weights: tuple[str, Path],
) -> None:
    status, told, _ = run("prove", exported[layout], "-o", tmp_path / "proof.json")
    assert status == 0
    assert f"4 inputs, {ALL} embeddings" in told

    status, told, _ = run("check", tmp_path / "proof.json", *weights, "-q")

    assert status == 0, told
    assert told.splitlines()[-1] == f"{ALL} of {ALL} within {bound}."
    assert "4 of 4 the same" in told
    assert "what else differs" not in told


def test_a_proof_holds_what_the_export_and_the_files_are(
    proof: Path, exported: dict[str, Path], dataset: Path
) -> None:
    """By the standard library and NumPy."""
    content = read_json(proof)
    assert content["checksum"] == own_checksum(content)
    rows = {row["path"]: row for row in content["inputs"]["rows"]}
    assert set(rows) == {*SECONDS, *PICTURES}
    for name, row in rows.items():
        assert row["sha256"] == hashlib.sha256((dataset / name).read_bytes()).hexdigest()
    assert rows["a.wav"]["frames"] == {"audio": 3}
    assert rows["a.wav"]["duration_s"] == pytest.approx(1.5)
    settings = content["settings"]
    assert (settings["known_from"], settings["hop_s"], settings["center"]) == (
        ".hydra/config.yaml",
        HOP_S,
        True,
    )
    assert settings["dataset"] == str(dataset)
    for window in content["windows"]:
        with np.load((exported["files"] / window["path"]).with_suffix(".npz")) as arrays:
            numbers = np.frombuffer(base64.b64decode(window["embedding"]), "<f4")
            np.testing.assert_array_equal(numbers, arrays["embedding"][window["frame"]])
            if window["modality"] == "audio":
                assert window["time_s"] == arrays["timestamps"][window["frame"]]


def test_the_same_export_makes_the_same_file(
    proof: Path, exported: dict[str, Path], tmp_path: Path, run: Run
) -> None:
    run("prove", exported["files"], "-o", tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == proof.read_bytes()


def test_a_smaller_sample_is_of_the_same_draw(
    exported: dict[str, Path], tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    for count in (3, 6):
        run("prove", exported["files"], "-o", tmp_path / f"{count}.json", "--sample", str(count))
    three, six = (read_json(tmp_path / f"{count}.json")["windows"] for count in (3, 6))
    assert six[:3] == three

    _, told, _ = run("check", tmp_path / "6.json", "--sample", "2", *weights)
    assert told.splitlines()[-1] == "2 of 2 within 1e-5."


def test_the_dataset_may_lie_elsewhere(
    proof: Path, dataset: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    shutil.copytree(dataset, tmp_path / "copy")
    status, told, _ = run("check", proof, "--dataset", tmp_path / "copy", *weights)
    assert status == 0
    assert f"inputs in {tmp_path / 'copy'}: 4 of 4 the same" in told


def altered(dataset: Path, target: Path) -> Path:
    """A copy of the dataset in which one byte of the FLAC file is another."""
    shutil.copytree(dataset, target)
    path = target / "b" / "long.flac"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    return target


def test_an_input_with_another_byte_is_named_and_costs_no_other(
    proof: Path, dataset: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    status, told, _ = run("check", proof, "--dataset", altered(dataset, tmp_path / "other"), *weights)
    assert status == 1
    lines = [line.strip() for line in told.splitlines()]
    assert lines[lines.index("other bytes:") + 1] == "b/long.flac"
    assert lines[-1] == f"{ALL - 8} of {ALL} within 1e-5. What differs: inputs."


def test_a_missing_and_an_unreadable_input_are_named(
    proof: Path, dataset: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    here = shutil.copytree(dataset, tmp_path / "here")
    (here / "a.wav").unlink()
    (here / "b" / "lossy.ogg").unlink()
    (here / "b" / "lossy.ogg").symlink_to("nothing.ogg")
    status, told, _ = run("check", proof, "--dataset", here, "--json", *weights)
    assert status == 1
    content = json.loads(told)
    assert content["inputs"]["missing"] == ["a.wav"]
    assert list(content["inputs"]["unreadable"]) == ["b/lossy.ogg"]
    assert {each["path"] for each in content["embeddings"] if each["within"]} == {
        "b/long.flac",
        *PICTURES,
    }


def test_a_file_that_cannot_be_decoded_is_named_and_costs_no_other(
    proof: Path, dataset: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    """As where a decoder is missing: its bytes are those of the proof."""
    here = shutil.copytree(dataset, tmp_path / "here")
    (here / "a.wav").write_bytes(b"no sound at all")
    digest = hashlib.sha256(b"no sound at all").hexdigest()
    place = [row["path"] for row in read_json(proof)["inputs"]["rows"]].index("a.wav")
    forged = forge(proof, tmp_path / "forged.json", ["inputs", "rows", place, "sha256"], digest)
    status, told, _ = run("check", forged, "--dataset", here, *weights)
    assert status == 1
    assert told.count("could not be read as audio") == 3, told
    assert told.splitlines()[-1].startswith(f"{ALL - 3} of {ALL} within 1e-5.")


def test_one_weight_that_is_another_is_named(
    proof: Path, slim_weights: Path, tmp_path: Path, run: Run
) -> None:
    other = shutil.copytree(slim_weights, tmp_path / "weights")
    with h5py.File(other / "openl3_audio_mel128_music.h5", "r+") as root:
        bias = root["audio_embedding_layer/audio_embedding_layer/bias:0"]
        bias[0] += 1.0
    status, told, _ = run("check", proof, "--weights", other)
    assert status == 1
    assert "weights of audio_mel128_music_512_kapre" in told
    assert "other numbers than in the proof" in told
    assert "weights of image_mel128_music_512, random:20260101: the same" in told
    assert told.splitlines()[-1].startswith(f"1 of {ALL} within 1e-5. What differs: weights (audio)")


def test_the_same_numbers_in_another_file_are_the_same_weights(
    proof: Path, slim_weights: Path, tmp_path: Path, run: Run
) -> None:
    """By another name, since the file does not say any more what it is."""
    other = shutil.copytree(slim_weights, tmp_path / "weights")
    path = other / "openl3_image_mel128_music.h5"
    with h5py.File(path, "r+") as root:
        for name in list(root.attrs):
            if "untrained" in name:
                del root.attrs[name]
    status, told, _ = run("check", proof, "--weights", other)
    assert status == 0
    name = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert f"  weights (image)  random:20260101  {name}" in told


def test_weights_that_cannot_be_had_are_named(proof: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "none").mkdir()
    status, told, _ = run("check", proof, "--weights", tmp_path / "none")
    assert status == 1
    assert "must hold openl3_audio_mel128_music-v0_4_0.h5" in told
    assert told.splitlines()[-1].startswith(f"0 of {ALL} within 1e-5.")


def test_an_embedding_that_was_altered_before_it_was_proven_is_out(
    exported: dict[str, Path], tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    export = shutil.copytree(exported["files"].parent, tmp_path / "run") / "export"
    path = export / "a.npz"
    with np.load(path) as arrays:
        content = dict(arrays)
    content["embedding"] = content["embedding"].copy()
    content["embedding"][2, 5] += 1e-3 * np.abs(content["embedding"][2]).max()
    path.unlink()
    np.savez(path, **content)
    run("prove", export, "-o", tmp_path / "proof.json")
    status, told, _ = run("check", tmp_path / "proof.json", *weights)
    assert status == 1
    assert "    a.wav, audio, 1 s: off by 1.0e-03" in told
    assert told.splitlines()[-1] == f"{ALL - 1} of {ALL} within 1e-5. What differs: the embeddings alone."


def test_another_hop_than_was_proven_is_out(
    proof: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    forged = forge(proof, tmp_path / "forged.json", ["settings", "hop_s"], 0.4)
    status, told, _ = run("check", forged, *weights)
    assert status == 1
    firsts = 3 + len(PICTURES)
    assert told.splitlines()[-1].startswith(f"{firsts} of {ALL} within 1e-5.")


@pytest.mark.parametrize("runtime", ["openvino", "keras"])
def test_another_runtime_is_named_and_as_near(
    proof: Path, runtime: str, run: Run, weights: tuple[str, Path]
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    own = read_json(proof)["networks"]["audio"]["runtimes"]
    if own == [runtime]:
        pytest.skip("it is this machine's own")
    status, told, _ = run("check", proof, "--runtime", runtime, *weights)
    assert status == 0
    assert told.splitlines()[-1] == f"{ALL} of {ALL} within 1e-5."
    assert f"runtime (audio)  {own[0]}" in " ".join(told.split("\n"))
    assert runtime in told


def test_other_versions_code_and_machine_are_named_and_do_not_matter(
    proof: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    for number, (steps, value) in enumerate(
        (
            (["packages", "numpy"], ["1.2.3"]),
            (["packages", "left-pad"], ["4.5"]),
            (["code", "embed"], "ab" * 32),
            (["machine"], "an abacus"),
        )
    ):
        proof = forge(proof, tmp_path / f"{number}.json", steps, value)
    status, told, _ = run("check", proof, "--sample", "1", *weights)
    assert status == 0
    rows = {line.split("  ")[1]: line for line in told.splitlines() if line.startswith("  ")}
    assert "1.2.3" in rows["numpy"]
    assert rows["left-pad"].endswith("not installed")
    assert "abababababab" in rows["code of embed"]
    assert "an abacus" in rows["machine"]


def test_without_the_dataset_all_else_is_checked_and_nothing_is_called_proven(
    proof: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    forged = forge(proof, tmp_path / "forged.json", ["settings", "dataset"], str(tmp_path / "gone"))
    status, told, _ = run("check", forged, *weights)
    assert status == 1
    assert "none of 4 looked at, without a dataset" in told
    assert told.count("random:20260101: the same") == 2
    assert told.splitlines()[-1].startswith("Nothing was recomputed")


def test_a_dataset_that_is_none_says_so(proof: Path, tmp_path: Path, run: Run) -> None:
    status, _, err = run("check", proof, "--dataset", tmp_path / "gone")
    assert status == 1
    assert "There is no dataset" in err


def test_an_export_without_its_run_tells_its_hop_itself(
    exported: dict[str, Path], dataset: Path, tmp_path: Path, run: Run, weights: tuple[str, Path]
) -> None:
    for layout in ("files", "packed"):
        alone = shutil.copytree(exported[layout], tmp_path / layout)
        status, told, err = run("prove", alone, "-o", tmp_path / "proof.json")
        assert status == 0
        assert "the settings from the embeddings" in told
        assert "no settings lie beside the export" in err
        assert "the proof has their name alone, random:20260101" in err
        status, told, _ = run("check", tmp_path / "proof.json", "--dataset", dataset, *weights)
        assert status == 0
        assert "the same by their name" in told


def test_settings_of_another_run_do_not_count(exported: dict[str, Path], tmp_path: Path, run: Run) -> None:
    copy = shutil.copytree(exported["files"].parent, tmp_path / "run")
    written = copy / ".hydra" / "config.yaml"
    written.write_text(written.read_text(encoding="utf-8").replace("hop_s: 0.5", "hop_s: 0.1"))
    _, _, err = run("prove", copy, "-o", tmp_path / "proof.json")
    assert "no settings lie beside the export that agree with it" in err
    assert read_json(tmp_path / "proof.json")["settings"]["hop_s"] == HOP_S


def test_settings_that_dvc_has_written_down_count(
    exported: dict[str, Path], tmp_path: Path, run: Run
) -> None:
    shutil.copytree(exported["files"], tmp_path / "data" / "export")
    params = {
        "dataset.path": "sounds",
        "dataset.modality": ["audio"],
        "dataset.include": ["*.wav"],
        "dataset.exclude": [],
        "windows": {"hop_s": HOP_S, "center": True},
        "on_damage": "skip",
        "exif_rotation": True,
        "max_megapixels": 300,
    }
    stage = {"params": {"params.yaml": params}, "outs": [{"path": "data/export"}]}
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"export": stage}}))
    run("prove", tmp_path / "data" / "export", "-o", tmp_path / "proof.json")
    settings = read_json(tmp_path / "proof.json")["settings"]
    assert (settings["known_from"], settings["dataset"]) == ("dvc.lock", "sounds")
    assert (settings["media"], settings["include"]) == (["audio"], ["*.wav"])
    assert (settings["on_damage"], settings["exif_rotation"]) == ("skip", True)


def test_a_damaged_file_of_the_export_is_named(exported: dict[str, Path], tmp_path: Path, run: Run) -> None:
    export = shutil.copytree(exported["files"], tmp_path / "export")
    (export / "a.npz").unlink()
    (export / "a.npz").write_bytes(b"PK\3\4 and no more")
    status, _, err = run("prove", export, "-o", tmp_path / "proof.json")
    assert status == 1
    assert f"{export / 'a.npz'}: It could not be read" in err
    assert not (tmp_path / "proof.json").exists()


def test_a_damaged_manifest_is_named(exported: dict[str, Path], tmp_path: Path, run: Run) -> None:
    for layout, name in (("files", "manifest.csv"), ("packed", "manifest.parquet")):
        export = shutil.copytree(exported[layout], tmp_path / layout)
        content = (export / name).read_bytes()
        (export / name).unlink()
        (export / name).write_bytes(content[:-10])
        status, _, err = run("prove", export, "-o", tmp_path / "proof.json")
        assert status == 1
        assert f"{export / name}: It is not as it was written." in err


def test_folders_that_are_no_export_say_what_they_are(
    exported: dict[str, Path], tmp_path: Path, run: Run
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    shutil.copyfile(exported["files"] / "a.npz", beside / "a.npz")
    assert "do not say which bytes they were computed from" in run("prove", beside)[2]
    assert "does not exist" in run("prove", tmp_path / "gone")[2]
    assert "is no export" in run("prove", tmp_path)[2]
    assert "is no folder" in run("prove", beside / "a.npz")[2]


def test_a_folder_is_not_written_to_as_a_file(exported: dict[str, Path], tmp_path: Path, run: Run) -> None:
    status, _, err = run("prove", exported["files"], "-o", tmp_path)
    assert status == 1
    assert "is a folder. Name a file" in err


def test_sections_of_a_listing_are_computed_again(
    tmp_path: Path, dataset: Path, slim_weights: Path, run: Run
) -> None:
    """Two of one file, and a whole one; from a copy of the dataset with a listing of its own."""
    rows = ["path,start_s,end_s", "b/long.flac,0.25,1.5", "b/long.flac,1.5,", "a.wav,,"]
    for name in ("one", "two"):
        shutil.copytree(dataset, tmp_path / name)
        (tmp_path / name / "list.csv").write_text("\n".join(rows) + "\n")
    export = run_pipeline(tmp_path / "run", tmp_path / "one" / "list.csv", slim_weights)
    run("prove", export, "-o", tmp_path / "proof.json")
    words = ("--dataset", tmp_path / "two" / "list.csv", "--weights", slim_weights)
    status, told, _ = run("check", tmp_path / "proof.json", *words)
    assert status == 0, told
    assert "3 of 3 the same" in told
    names = {window["path"] for window in read_json(tmp_path / "proof.json")["windows"]}
    assert names == {"a.wav", "b/long@0.25-1.5.flac", "b/long@1.5-.flac"}

    samples, _ = soundfile.read(tmp_path / "two" / "b" / "long.flac")
    soundfile.write(tmp_path / "two" / "b" / "long.flac", samples * 0.5, 44_100)
    status, told, _ = run("check", tmp_path / "proof.json", *words)
    assert status == 1
    assert "other bytes:\n    b/long@0.25-1.5.flac\n    b/long@1.5-.flac\n" in told


def test_both_networks_of_a_video_are_computed_again(tmp_path: Path, slim_weights: Path, run: Run) -> None:
    videos = tmp_path / "videos"
    write_video(videos / "clip.mp4", 1.0, rate="5")
    export = run_pipeline(tmp_path / "run", videos, slim_weights)
    run("prove", export, "-o", tmp_path / "proof.json")
    (row,) = read_json(tmp_path / "proof.json")["inputs"]["rows"]
    assert row["frames"] == {"audio": 2, "image": 5}
    status, told, _ = run("check", tmp_path / "proof.json", "--weights", slim_weights)
    assert status == 0, told
    assert "sound of videos: 2 of 2 within 1e-2" in told
    assert "frames of videos: 5 of 5 within 1e-4" in told


@pytest.fixture
def served(tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """The dataset on a web server of this machine: its address, and what is asked of it."""
    pytest.importorskip("aiohttp")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(dataset))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_of_files_elsewhere_those_of_the_sample_are_fetched(
    served: tuple[str, list[str]], tmp_path: Path, slim_weights: Path, run: Run
) -> None:
    address, asked = served
    listing = tmp_path / "list.csv"
    listing.write_text("\n".join(["path", *(f"{address}/{name}" for name in SECONDS)]) + "\n")
    export = run_pipeline(tmp_path / "run", listing, slim_weights)
    run("prove", export, "-o", tmp_path / "proof.json", "--sample", "1")
    (window,) = read_json(tmp_path / "proof.json")["windows"]
    asked.clear()
    status, told, _ = run("check", tmp_path / "proof.json", "--weights", slim_weights)
    assert status == 0, told
    assert "1 of 3 the same; 2 inputs elsewhere, not fetched" in told
    assert {path.split("/", 1)[1] for path in asked} == {window["path"].split("/", 1)[1]}


def test_an_input_that_failed_is_in_the_proof_with_its_reason(
    tmp_path: Path, slim_weights: Path, run: Run
) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    soundfile.write(sounds / "a.wav", noise(1.0), 48_000)
    (sounds / "empty.wav").write_bytes(b"")
    export = run_pipeline(tmp_path / "run", sounds, slim_weights)
    run("prove", export, "-o", tmp_path / "proof.json")
    inputs = read_json(tmp_path / "proof.json")["inputs"]
    assert (inputs["count"], inputs["failed"]) == (2, 1)
    assert inputs["rows"][1]["reason"] == "The file is empty (0 bytes)."
    status, told, _ = run("check", tmp_path / "proof.json", "--weights", slim_weights)
    assert status == 0
    assert "2 of 2 the same" in told


def test_librosa_and_windows_from_the_first_sample_are_computed_again(
    tmp_path: Path, dataset: Path, slim_weights: Path, run: Run
) -> None:
    settings = ("frontend=librosa", "windows.center=false", "dataset.modality=audio")
    export = run_pipeline(tmp_path / "run", dataset, slim_weights, *settings)
    run("prove", export, "-o", tmp_path / "proof.json")
    status, told, _ = run("check", tmp_path / "proof.json", "--weights", slim_weights)
    assert status == 0, told

    alone = shutil.copytree(export, tmp_path / "alone")
    run("prove", alone, "-o", tmp_path / "alone.json")
    assert read_json(tmp_path / "alone.json")["settings"]["center"] is False


def test_an_export_of_whole_files_alone_cannot_be_proven(
    tmp_path: Path, dataset: Path, slim_weights: Path, run: Run
) -> None:
    settings = ("export=parquet", "export.formats=[parquet]", "export.rows=files")
    export = run_pipeline(tmp_path / "run", dataset, slim_weights, *settings)
    status, _, err = run("prove", export, "-o", tmp_path / "proof.json")
    assert status == 1
    assert "has no row for each moment" in err
    assert (export / SEALS_FILE).is_file()
