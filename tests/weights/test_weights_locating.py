"""What the cache does with published and random weights that are there already."""

import errno
import gzip
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import run_child
from filelock import FileLock

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.variants import WeightSet
from l3embed.weights import cache as cache_module
from l3embed.weights import locating as store
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import PublishedWeights, RandomWeights, WeightsSource

from .conftest import Publish, Published

NOWHERE = PublishedWeights("http://127.0.0.1:9/models")
"""A source that nothing can be fetched from."""


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def random_path(weight_set: WeightSet, cache: Path) -> Path:
    """Random weights that lie in the cache."""
    with pytest.warns(OpenL3Warning):
        return locate_weights(weight_set, RandomWeights(3)).path


def test_a_packed_file_placed_by_hand_works_offline(weight_set: WeightSet, published: Published) -> None:
    published.place()
    assert locate_weights(weight_set, NOWHERE).path.read_bytes() == published.unpacked


def test_whole_files_are_used_without_a_lock_and_without_writing(
    weight_set: WeightSet, published: Published, cache: Path
) -> None:
    published.place()
    published.unpacked_path.write_bytes(published.unpacked)
    before = snapshot(cache)
    locate_weights(weight_set, NOWHERE)
    assert snapshot(cache) == before


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_a_damaged_unpacked_file_is_unpacked_again(
    damage: str, weight_set: WeightSet, published: Published
) -> None:
    published.place()
    damaged = {"truncated": published.unpacked[:-1], "altered": b"\0" + published.unpacked[1:]}[damage]
    published.unpacked_path.write_bytes(damaged)
    assert locate_weights(weight_set, NOWHERE).path.read_bytes() == published.unpacked


def test_a_gzip_file_of_several_members_is_unpacked_once(
    weight_set: WeightSet, publish: Publish, cache: Path
) -> None:
    published = publish(gzip.compress(b"first ") + gzip.compress(b"second"))
    published.place()
    assert locate_weights(weight_set, NOWHERE).path.read_bytes() == b"first second"
    before = snapshot(cache)
    locate_weights(weight_set, NOWHERE)
    assert snapshot(cache) == before


def test_abandoned_temporary_files_are_removed_and_living_ones_kept(
    weight_set: WeightSet, published: Published
) -> None:
    published.place()
    abandoned, living = published.folder / ".abandoned.tmp", published.folder / ".living.tmp"
    for path in (abandoned, living):
        path.touch()
    two_hours_ago = time.time() - 7200
    os.utime(abandoned, (two_hours_ago, two_hours_ago))
    locate_weights(weight_set, NOWHERE)
    assert not abandoned.exists()
    assert living.exists()


def test_a_lock_that_is_never_released_is_told(
    weight_set: WeightSet, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "LOCK_TIMEOUT_S", 0.05)
    published.place()
    lock = published.folder / f".{published.file.file_name}.lock"
    with FileLock(lock), pytest.raises(OpenL3Error, match="Another process has held the lock") as caught:
        locate_weights(weight_set, NOWHERE)
    assert str(lock) in str(caught.value)


def test_the_cache_is_the_users_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weight_set: WeightSet
) -> None:
    monkeypatch.delenv("L3EMBED_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "users" / name)
    assert store.packed_path(weight_set).parent == tmp_path / "users" / "l3embed" / "weights" / "published"


def test_random_weights_are_generated_once(weight_set: WeightSet, random_path: Path, cache: Path) -> None:
    before = snapshot(cache)
    with pytest.warns(OpenL3Warning):
        located = locate_weights(weight_set, RandomWeights(3))
    assert located.path == random_path == cache / "weights/random/3/openl3/openl3_audio_mel256_music.h5"
    assert (located.identity, located.trained) == ("random:3", False)
    assert snapshot(cache) == before


def test_random_weights_warn_each_time(weight_set: WeightSet, random_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            locate_weights(weight_set, RandomWeights(3))
    messages = [str(warning.message) for warning in caught if warning.category is OpenL3Warning]
    assert len(messages) == 2
    for word in ("untrained", "random:3", "L3EMBED_WEIGHTS=published"):
        assert word in messages[0]


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
@pytest.mark.parametrize(
    "where", ["pathlib.Path.write_bytes", "filelock.FileLock.acquire", "pathlib.Path.mkdir"]
)
def test_a_full_disk_is_told_for_random_weights(
    where: str, number: int, weight_set: WeightSet, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cache / "weights" / "random" / "3" / "openl3"
    monkeypatch.setattr(where, refusing(number))
    with pytest.raises(OpenL3Error, match=f"^No space is left in {folder} for weights") as caught:
        locate_weights(weight_set, RandomWeights(3))
    assert "set L3EMBED_CACHE to another folder" in str(caught.value)
    assert not list(cache.rglob("*.h5"))
    assert not list(cache.rglob("*.tmp"))


@pytest.mark.parametrize("where", ["gzip.GzipFile.read", "pathlib.Path.mkdir"])
def test_a_full_disk_is_told_while_unpacking(
    where: str, weight_set: WeightSet, published: Published, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.place()
    monkeypatch.setattr(where, refusing(errno.ENOSPC))
    with pytest.raises(
        OpenL3Error, match=f"^No space is left in {cache / 'weights' / 'published'}"
    ) as caught:
        locate_weights(weight_set, NOWHERE)
    assert "L3EMBED_CACHE" in str(caught.value)
    assert published.left_over() == [published.packed_path.name]


@pytest.mark.parametrize("source", [RandomWeights(3), NOWHERE], ids=["random", "published"])
def test_a_cache_that_is_no_folder_is_told(source: WeightsSource, weight_set: WeightSet, cache: Path) -> None:
    cache.write_text("no folder")
    with pytest.raises(OpenL3Error, match=f"^{cache}.* cannot be read from or written to") as caught:
        locate_weights(weight_set, source)
    assert "set L3EMBED_CACHE to another folder" in str(caught.value)


@pytest.mark.parametrize("source", [RandomWeights(3), NOWHERE], ids=["random", "published"])
def test_a_cache_that_may_only_be_read_is_told(
    source: WeightsSource, weight_set: WeightSet, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.mkdir", refusing(errno.EROFS))
    with pytest.raises(OpenL3Error, match=f"^{cache}.* cannot be read from or written to") as caught:
        locate_weights(weight_set, source)
    assert "L3EMBED_CACHE" in str(caught.value)


def test_a_file_that_was_unpacked_beside_the_packed_one_is_unpacked_anew(
    weight_set: WeightSet, published: Published
) -> None:
    """As l3embed had it before files lay in a folder named openl3."""
    published.place()
    published.packed_path.with_suffix("").write_bytes(published.unpacked)
    located = locate_weights(weight_set, NOWHERE).path
    assert located == published.unpacked_path
    assert located.read_bytes() == published.unpacked


@pytest.mark.parametrize("module", ["l3embed.weights.locating", "l3embed.cli.weights_cache"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; sys.stdout.write(' '.join(sys.modules))"
    loaded = run_child([sys.executable, "-c", code]).stdout.split()
    assert module in loaded
    assert not {"numpy", "h5py", "requests", "filelock", "tqdm", "tensorflow"} & set(loaded)


@pytest.mark.parametrize("damage", ["truncated", "altered", "no_checksum"])
@pytest.mark.filterwarnings("ignore::l3embed.errors.OpenL3Warning")
def test_damaged_random_weights_are_generated_again(
    damage: str, weight_set: WeightSet, random_path: Path
) -> None:
    whole = random_path.read_bytes()
    if damage == "truncated":
        random_path.write_bytes(whole[:-1])
    elif damage == "altered":
        random_path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        random_path.with_name(f"{random_path.name}.sha256").unlink()
    assert locate_weights(weight_set, RandomWeights(3)).path.read_bytes() == whole
    assert random_path.with_name(f"{random_path.name}.sha256").exists()
