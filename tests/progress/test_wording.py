"""Counts agree with their nouns."""

import pytest

from l3embed.progress import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1200, "1,200 files")]
)
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    assert counted(count, "file") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(count, "class", "classes") for count in (1, 6)] == ["1 class", "6 classes"]
