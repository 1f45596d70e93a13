"""The command ``l3embed weights``."""

import argparse
import gzip

import pytest

from l3embed.cli.weights_cache import add_parser
from l3embed.errors import OpenL3Error
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet

from .conftest import Mirror, Publish, Published, refuses, sends

NAMES = [weight_set.name for weight_set in ALL_WEIGHT_SETS]


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["weights", *arguments])
    status: int = args.run(args)
    return status


def table(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    return {row[0].rstrip(":"): row[1:] for row in rows}


def test_list_tells_the_state_and_the_path_of_each(
    publish: Publish, published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    published.place()
    published.unpacked_path.write_bytes(published.unpacked)
    damaged = publish(gzip.compress(b""), of=ALL_WEIGHT_SETS[0])
    damaged.packed_path.write_bytes(b"something else")
    assert run("list") == 0
    rows = table(capsys)
    assert list(rows) == ["name", *NAMES]
    assert rows["audio_mel256_music"] == ["verified", str(published.packed_path)]
    assert rows[ALL_WEIGHT_SETS[0].name] == ["damaged", str(damaged.packed_path)]
    assert rows[ALL_WEIGHT_SETS[1].name][0] == "missing"


def test_list_changes_nothing(published: Published) -> None:
    run("list")
    assert not published.folder.exists()


@pytest.mark.parametrize("name", ["audio_mel256_music", "openl3_audio_mel256_music-v0_4_0.h5.gz"])
def test_fetch_takes_names_of_sets_and_files(
    name: str, published: Published, mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.answers = [sends(published.packed)]
    assert run("fetch", name, "--url", mirror.url) == 0
    assert published.unpacked_path.read_bytes() == published.unpacked
    assert table(capsys) == {"audio_mel256_music": [str(published.unpacked_path)]}


def test_fetch_without_names_fetches_all(publish: Publish, mirror: Mirror) -> None:
    for weight_set in ALL_WEIGHT_SETS:
        packed = gzip.compress(weight_set.name.encode(), mtime=0)
        published = publish(packed, of=weight_set)
        mirror.answers.append(sends(packed))
    assert run("fetch", "--url", mirror.url) == 0
    assert len(list(published.unpacked_path.parent.glob("*.h5"))) == 12


def test_fetch_goes_on_past_a_failure_and_names_it(
    weight_set: WeightSet, published: Published, mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.answers = [refuses(404), sends(published.packed)]
    assert run("fetch", "image_linear_env", weight_set.name, "--url", mirror.url) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{weight_set.name}: {published.unpacked_path}\n"
    assert "404" in captured.err
    assert captured.err.endswith("Not fetched: image_linear_env.\n")


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_an_unknown_name_is_told_with_the_allowed_ones(command: str) -> None:
    with pytest.raises(OpenL3Error, match="got 'audio_mel512_music'") as caught:
        run(command, "audio_mel512_music")
    assert ", ".join(NAMES) in str(caught.value)


def test_verify_passes_over_what_was_not_fetched(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    published.place()
    published.unpacked_path.write_bytes(published.unpacked)
    assert run("verify") == 0
    rows = table(capsys)
    assert rows["audio_mel256_music"][0] == "verified"
    assert rows["image_linear_env"][:2] == ["not", "fetched"]


def test_verify_misses_what_was_named(published: Published) -> None:
    published.place()
    assert run("verify", "audio_mel256_music") == 0
    assert run("verify", "audio_mel256_music", "image_linear_env") == 1


def test_verify_finds_nothing_at_all(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify") == 1
    assert "None of these weights has been fetched" in capsys.readouterr().err


@pytest.mark.parametrize("damaged", ["packed", "unpacked"])
def test_verify_finds_damage(damaged: str, published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    published.place()
    published.unpacked_path.write_bytes(published.unpacked)
    path = published.packed_path if damaged == "packed" else published.unpacked_path
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert run("verify") == 1
    assert table(capsys)["audio_mel256_music"][0] == "damaged"
