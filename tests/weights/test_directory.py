"""Weight files in a directory, with and without a manifest."""

import hashlib
import json
import warnings
from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.stages import weights
from l3embed.variants import WeightSet
from l3embed.weights.directory import copy_weights, write_weights_manifest
from l3embed.weights.file import WeightFile
from l3embed.weights.locating import locate_weights, locate_written
from l3embed.weights.source import WeightsDirectory

NAME = "openl3_audio_mel256_music.h5"
PUBLISHED_NAME = "openl3_audio_mel256_music-v0_4_0.h5"


def put(path: Path, content: bytes = b"some weights") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_without_a_manifest_is_known_by_its_bytes(weight_set: WeightSet, tmp_path: Path) -> None:
    path = put(tmp_path / NAME)
    sha256 = hashlib.sha256(b"some weights").hexdigest()
    located = locate_weights(weight_set, WeightsDirectory(tmp_path))
    assert located == WeightFile(path, f"sha256:{sha256}", trained=True)


def test_the_published_name_comes_first(weight_set: WeightSet, tmp_path: Path) -> None:
    put(tmp_path / NAME)
    path = put(tmp_path / PUBLISHED_NAME)
    assert locate_weights(weight_set, WeightsDirectory(tmp_path)).path == path


def test_a_missing_file_is_told_with_what_is_there(weight_set: WeightSet, tmp_path: Path) -> None:
    put(tmp_path / "openl3_image_linear_env.h5")
    with pytest.raises(OpenL3Error) as caught:
        locate_weights(weight_set, WeightsDirectory(tmp_path))
    for word in (str(tmp_path), NAME, PUBLISHED_NAME, "files: openl3_image_linear_env.h5."):
        assert word in str(caught.value)


def test_a_copy_keeps_its_identity(weight_set: WeightSet, tmp_path: Path) -> None:
    original = WeightFile(put(tmp_path / "cache" / NAME), "published:v0_4_0:abc", trained=True)
    directory = tmp_path / "data" / "weights"
    copy = copy_weights(original, directory)
    assert copy == WeightFile(directory / NAME, "published:v0_4_0:abc", trained=True)
    assert copy.path.read_bytes() == b"some weights"
    assert locate_weights(weight_set, WeightsDirectory(directory)) == copy


def test_a_directory_of_copies_holds_the_files_and_the_manifest(tmp_path: Path) -> None:
    for name in (NAME, "openl3_image_linear_env.h5"):
        copy_weights(
            WeightFile(put(tmp_path / "cache" / name), f"random:{name}", trained=False), tmp_path / "d"
        )
    assert {path.name for path in (tmp_path / "d").iterdir()} == {
        NAME,
        "openl3_image_linear_env.h5",
        "weights.json",
    }
    manifest = json.loads((tmp_path / "d" / "weights.json").read_text())
    assert manifest[NAME] == {
        "identity": f"random:{NAME}",
        "trained": False,
        "sha256": hashlib.sha256(b"some weights").hexdigest(),
    }
    assert len(manifest) == 2


def test_a_directory_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    original = WeightFile(put(tmp_path / "cache" / NAME), "random:3", trained=False)
    occupied = put(tmp_path / "file")
    with pytest.raises(OpenL3Error, match=f"^{occupied} cannot be read from or written to"):
        copy_weights(original, occupied)


def test_untrained_copies_warn(weight_set: WeightSet, tmp_path: Path) -> None:
    copy_weights(WeightFile(put(tmp_path / "cache" / NAME), "random:3", trained=False), tmp_path / "d")
    with pytest.warns(OpenL3Warning, match=r"\(random:3\) are untrained"):
        locate_weights(weight_set, WeightsDirectory(tmp_path / "d"))


def test_trained_copies_do_not_warn(weight_set: WeightSet, tmp_path: Path) -> None:
    copy_weights(WeightFile(put(tmp_path / "cache" / NAME), "published:x", trained=True), tmp_path / "d")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        locate_weights(weight_set, WeightsDirectory(tmp_path / "d"))


def test_a_replaced_file_is_known_by_its_bytes(weight_set: WeightSet, tmp_path: Path) -> None:
    copy_weights(WeightFile(put(tmp_path / "cache" / NAME), "random:3", trained=False), tmp_path / "d")
    put(tmp_path / "d" / NAME, b"weights of my own")
    located = locate_weights(weight_set, WeightsDirectory(tmp_path / "d"))
    assert located.identity == f"sha256:{hashlib.sha256(b'weights of my own').hexdigest()}"


def test_entries_of_files_that_are_gone_are_dropped(tmp_path: Path) -> None:
    gone, kept = put(tmp_path / "openl3_gone.h5"), put(tmp_path / NAME)
    write_weights_manifest(tmp_path, [WeightFile(gone, "random:1", trained=False)])
    gone.unlink()
    write_weights_manifest(tmp_path, [WeightFile(kept, "random:1", trained=False)])
    assert list(json.loads((tmp_path / "weights.json").read_text())) == [NAME]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"a.h5": 1}', '{"a.h5": {}}', '{"a.h5": {"identity": "x", "trained": "no", "sha256": "y"}}'],
)
def test_a_manifest_that_is_none_is_told(content: str, weight_set: WeightSet, tmp_path: Path) -> None:
    put(tmp_path / NAME)
    (tmp_path / "weights.json").write_text(content)
    with pytest.raises(OpenL3Error, match="must map file names to an identity, trained and sha256"):
        locate_weights(weight_set, WeightsDirectory(tmp_path))


def test_what_the_stage_has_written_is_found_with_its_checksum(weight_set: WeightSet, tmp_path: Path) -> None:
    path = put(tmp_path / NAME)
    write_weights_manifest(tmp_path, [WeightFile(path, "random:1", trained=False)])
    found = WeightFile(path, "random:1", trained=False), hashlib.sha256(path.read_bytes()).hexdigest()
    assert locate_written(weight_set, tmp_path) == found


@pytest.mark.parametrize("content", [b"", b"some Weights"], ids=["emptied", "flipped"])
def test_what_the_stage_has_written_is_not_used_if_it_was_changed(
    weight_set: WeightSet, tmp_path: Path, content: bytes
) -> None:
    path = put(tmp_path / NAME)
    write_weights_manifest(tmp_path, [WeightFile(path, "random:1", trained=False)])
    path.write_bytes(content)
    with pytest.raises(OpenL3Error, match=r"\.h5: It is not as it was written\. Run 'dvc repro -f weights'"):
        locate_written(weight_set, tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"], ids=["emptied", "cut", "no text"])
def test_the_stage_writes_a_damaged_manifest_anew(
    weight_set: WeightSet, tmp_path: Path, content: bytes
) -> None:
    path = put(tmp_path / "mine" / NAME)
    output = tmp_path / "weights"
    output.mkdir()
    (output / "weights.json").write_bytes(content)
    weights.run([weight_set], WeightsDirectory(path.parent), output)
    assert locate_written(weight_set, output)[0].path == output / path.name
