"""Where files of a listing lie, and what they are called in outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.listings.location import Location, name_of, parse_location

HERE = Path("/data")


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("a/b.wav", Location("/data/a/b.wav")),
        ("/x/b.wav", Location("/x/b.wav")),
        ("file:///x/b%20c.wav", Location("/x/b c.wav")),
        ("s3://bucket/a b.wav", Location("s3://bucket/a b.wav")),
        ("tar://a/b.wav::shard.tar", Location("/data/shard.tar", "a/b.wav")),
        ("tar://b.wav::s3://bucket/shard.tar", Location("s3://bucket/shard.tar", "b.wav")),
        ("C:b.wav", Location("/data/C:b.wav")),
    ],
)
def test_a_location_is_a_path_a_uri_or_a_member_of_a_shard(text: str, location: Location) -> None:
    assert parse_location(text, HERE) == location


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("az://container/b.wav", r"must be a path, or begin with one of file://, gs://.*got 'az://container"),
        ("s3:///b.wav", "must name a host or bucket behind s3://"),
        ("tar://b.wav", "must be written tar://MEMBER::SHARD.tar"),
        ("tar://::shard.tar", "must be written tar://MEMBER::SHARD.tar"),
        ("tar://b.wav::", "must be a path or a URI"),
        ("a\0b.wav", "must be a path or a URI"),
    ],
)
def test_what_is_no_location_is_refused(text: str, reason: str) -> None:
    with pytest.raises(OpenL3Error, match=reason):
        parse_location(text, HERE)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b.wav", "a/b.wav"),
        ("./a//b.wav", "a/b.wav"),
        ("../../x/b.wav", "x/b.wav"),
        ("/x/../b.wav", "x/b.wav"),
        ("s3://bucket/a/b?.wav", "bucket/a/b?.wav"),
        ("https://host:80/a/b%20c.wav?signature=1", "host:80/a/b c.wav"),
        ("https://host/%2e%2e/%2e%2e/b.wav", "host/b.wav"),
        ("file:///x/b%20c.wav", "x/b c.wav"),
        ("tar://../a/b.wav::s3://bucket/shard.tar", "bucket/shard.tar/a/b.wav"),
        ("tar://b.wav::shard.tar", "shard.tar/b.wav"),
    ],
)
def test_a_name_is_relative_and_climbs_nowhere(text: str, name: str) -> None:
    assert name_of(text) == name
