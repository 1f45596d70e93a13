"""Where a page links to, for files that lie anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.report.media_files import MediaFile, relative_address
from l3embed.variants import Media


@pytest.mark.parametrize(
    ("location", "start_s", "end_s", "link"),
    [
        ("", None, None, None),
        ("a/b.wav", None, None, None),
        ("../x/b #1.wav", None, None, "../x/b%20%231.wav"),
        ("https://host/b.wav?key=1", None, None, "https://host/b.wav?key=1"),
        ("https://host/b.wav", 1.5, 3.0, "https://host/b.wav#t=1.5,3"),
        ("a/b.wav", None, 3.0, "a/b.wav#t=0,3"),
        ("s3://bucket/b.wav", None, None, ""),
        ("tar://b.wav::shard.tar", None, None, ""),
    ],
)
def test_a_link_leads_to_where_a_browser_finds_the_file(
    location: str, start_s: float | None, end_s: float | None, link: str | None
) -> None:
    file = MediaFile("a/b.wav", "", Media.AUDIO, location=location, start_s=start_s, end_s=end_s)
    assert file.link == link


def test_paths_of_a_listing_count_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").touch()
    assert relative_address(tmp_path / "clips.csv", tmp_path / "data" / "report") == "../../"
