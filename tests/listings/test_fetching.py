"""Files are brought here from web servers and shards, within limits of time and room."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.listings import fetching, remote
from l3embed.listings.fetching import FetchFolder, Opening, Wanted, forget_fetched, opening_ahead
from l3embed.listings.location import Location, parse_location

from .conftest import FILES, content
from .servers import WebServer

NO_SUCH_CHECKSUM = "0" * 64


def wanted(text: str, folder: Path, **facts: object) -> Wanted:
    return Wanted(parse_location(text, folder), **facts)  # type: ignore[arg-type]


def test_a_local_file_is_opened_where_it_is(folder: Path) -> None:
    with Opening(wanted("3.wav", folder)) as path:
        assert path == folder / "3.wav"


@pytest.mark.parametrize("text", ["{}/3.wav", "tar://a/3.wav::shard.tar", "tar://a/3.wav::{}/shard.tar"])
def test_any_other_is_a_copy_with_the_same_ending(text: str, folder: Path, web: WebServer) -> None:
    with Opening(wanted(text.format(web.address), folder)) as path:
        assert path.suffix == ".wav"
        assert path.parent != folder
        assert path.read_bytes() == content(3)


def test_a_known_place_in_a_shard_costs_one_question(folder: Path, web: WebServer) -> None:
    offset = (folder / "shard.tar").read_bytes().index(content(3))
    place = wanted(f"tar://a/3.wav::{web.address}/shard.tar", folder, bytes=1003, offset=offset)
    with Opening(place) as path:
        assert path.read_bytes() == content(3)
    assert web.asked["/shard.tar"] == 1


def test_a_shard_that_was_written_anew_is_not_read_at_the_old_places(folder: Path) -> None:
    shard = folder / "shard.tar"
    offset = shard.read_bytes().index(content(3))
    version = f"{shard.stat().st_size} {shard.stat().st_mtime_ns}"
    place = wanted("tar://a/3.wav::shard.tar", folder, bytes=1003, offset=offset, version=version)
    with Opening(place) as path:
        assert path.read_bytes() == content(3)
    forget_fetched()
    shard.write_bytes(b"other" * 9000)
    with pytest.raises(OpenL3Error, match=r"shard\.tar is not as it was listed"), Opening(place):
        pass


def test_local_files_are_not_looked_at_ahead(folder: Path) -> None:
    """So that another run may take them meanwhile."""
    seen: list[int] = []
    numbers = (seen.append(number) or number for number in range(FILES))  # type: ignore[func-returns-value]
    files = opening_ahead(numbers, lambda number: wanted(f"{number}.wav", folder))
    next(files)
    assert seen == [0]


def test_sections_of_one_file_share_it(folder: Path, web: WebServer) -> None:
    files = [wanted(f"{web.address}/3.wav", folder)] * 20
    for _, opening in opening_ahead(files, lambda file: file):
        with opening as path:
            assert path.read_bytes() == content(3)
    assert web.asked["/3.wav"] == 1


def test_files_come_in_their_order_while_others_are_used(folder: Path, web: WebServer) -> None:
    files = [wanted(f"{web.address}/{number}.wav", folder) for number in range(FILES)]
    got = []
    for _, opening in opening_ahead(files, lambda file: file, ahead=3):
        with opening as path:
            got.append(path.read_bytes())
    assert got == [content(number) for number in range(FILES)]


@pytest.mark.parametrize("most_bytes", [1, 2500, 10**6])
def test_little_lies_here_at_a_time(
    folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    here = FetchFolder(most_bytes)
    monkeypatch.setattr(fetching, "fetch_folder", lambda: here)
    files = [wanted(f"{web.address}/{number}.wav", folder, bytes=1000 + number) for number in range(FILES)]
    for _, opening in opening_ahead(files, lambda file: file):
        with opening:
            held = sum(path.stat().st_size for path in here._folder.iterdir())
            assert held <= most_bytes + 2 * max(map(len, map(content, range(FILES))))
    assert sum(path.stat().st_size for path in here._folder.iterdir()) <= most_bytes


def test_who_takes_all_before_using_any_does_not_wait_for_ever(
    folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "fetch_folder", lambda here=FetchFolder(1): here)  # noqa: B008
    files = [wanted(f"{web.address}/{number}.wav", folder, bytes=1000 + number) for number in range(FILES)]
    openings = [opening for _, opening in opening_ahead(files, lambda file: file)]
    for number, opening in reversed(list(enumerate(openings))):
        with opening as path:
            assert path.read_bytes() == content(number)


@pytest.mark.parametrize("statuses", [[503], [503, 429, 500]])
def test_what_passes_is_asked_for_again(folder: Path, web: WebServer, statuses: list[int]) -> None:
    web.faults.extend(statuses)
    with Opening(wanted(f"{web.address}/3.wav", folder)) as path:
        assert path.read_bytes() == content(3)
    assert web.asked["/3.wav"] == len(statuses) + 1


def test_what_does_not_pass_is_given_up(folder: Path, web: WebServer) -> None:
    web.faults.extend([503] * 50)
    with (
        pytest.raises(OpenL3Error, match=r"3\.wav could not be fetched in several attempts: .*503"),
        Opening(wanted(f"{web.address}/3.wav", folder)),
    ):
        pass
    assert web.asked["/3.wav"] == len(remote.RETRY_WAITS_S) + 1


def test_a_host_that_gives_nothing_is_asked_once_a_file_in_the_end(folder: Path, web: WebServer) -> None:
    web.faults.extend([503] * 1000)
    for number in range(remote.GIVEN_UP_AFTER + 1):
        with (
            pytest.raises(OpenL3Error),
            Opening(wanted(f"{web.address}/{number % FILES}.wav?{number}", folder)),
        ):
            pass
    assert web.asked[f"/{remote.GIVEN_UP_AFTER % FILES}.wav?{remote.GIVEN_UP_AFTER}"] == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}/gone.wav", r"There is no http://.*gone\.wav"),
        ("tar://a/gone.wav::shard.tar", r"There is no a/gone\.wav in the shard"),
        ("tar://a/3.wav::gone.tar", r"The shard .*gone\.tar could not be read: No such file"),
        ("tar://a/3.wav::{}/gone.tar", r"There is no http://.*gone\.tar"),
        ("tar://a/3.wav::3.wav", r"no plain \.tar"),
    ],
)
def test_what_is_not_there_is_told_at_once(text: str, reason: str, folder: Path, web: WebServer) -> None:
    with pytest.raises(OpenL3Error, match=reason), Opening(wanted(text.format(web.address), folder)):
        pass


def test_an_expired_signature_is_no_reason_to_ask_again(folder: Path, web: WebServer) -> None:
    web.faults.extend([403] * 9)
    with (
        pytest.raises(OpenL3Error, match=r"may not be read: .*403.* Look at your credentials"),
        Opening(wanted(f"{web.address}/3.wav?signature=old", folder)),
    ):
        pass
    assert sum(web.asked.values()) == 1


def test_a_server_that_does_not_answer_is_given_up(
    folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE_S", 0.2)
    monkeypatch.setattr(remote, "RETRY_WAITS_S", ())
    remote.file_system.cache_clear()
    answer = threading.Event()
    monkeypatch.setattr(web, "pause", answer)
    try:
        with (
            pytest.raises(OpenL3Error, match="could not be fetched in several attempts"),
            Opening(wanted(f"{web.address}/3.wav", folder)),
        ):
            pass
    finally:
        answer.set()
        remote.file_system.cache_clear()


def test_a_server_without_ranges_is_told_by_name(folder: Path, web: WebServer) -> None:
    web.gives_ranges = False
    with (
        pytest.raises(OpenL3Error, match="does not give parts of files"),
        Opening(wanted(f"tar://a/3.wav::{web.address}/shard.tar", folder, bytes=1003, offset=100)),
    ):
        pass


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_of_a_shard_that_is_cut_short_the_whole_members_are_read(
    kind: str, folder: Path, web: WebServer
) -> None:
    whole = (folder / "shard.tar").read_bytes()
    (folder / "cut.tar").write_bytes(whole[: whole.index(content(5)) + 500])
    shard = "cut.tar" if kind == "local" else f"{web.address}/cut.tar"
    with Opening(wanted(f"tar://a/4.wav::{shard}", folder)) as path:
        assert path.read_bytes() == content(4)
    for number in (5, 6):
        with (
            pytest.raises(OpenL3Error, match=r"cut\.tar is cut short"),
            Opening(wanted(f"tar://a/{number}.wav::{shard}", folder)),
        ):
            pass


def test_other_bytes_than_the_listing_says_are_refused(folder: Path, web: WebServer) -> None:
    with (
        pytest.raises(OpenL3Error, match="has 1,003 bytes, and the listing says 7"),
        Opening(wanted(f"{web.address}/3.wav", folder, bytes=7)),
    ):
        pass
    with (
        pytest.raises(OpenL3Error, match=f"SHA-256 checksum [0-9a-f]+, and not {NO_SUCH_CHECKSUM}"),
        Opening(wanted(f"{web.address}/4.wav", folder, sha256=NO_SUCH_CHECKSUM)),
    ):
        pass


def test_a_missing_package_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "find_spec", lambda name: None)
    with pytest.raises(OpenL3Error, match=r"s3:// needs the package s3fs: pip install 'l3embed\[remote\]'"):
        remote.check_packages(["a.wav", "tar://a.wav::s3://bucket/shard.tar"])


def test_a_full_disk_is_no_fault_of_a_file(
    folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(wanted: Wanted, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching, "fetch", fill)
    with pytest.raises(OSError, match="TMPDIR"), Opening(Wanted(Location(f"{web.address}/9.wav?full"))):
        pass
