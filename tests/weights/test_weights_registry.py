"""The pins of the published files."""

import re
from pathlib import Path

from l3embed.variants import ALL_WEIGHT_SETS
from l3embed.weights import registry
from l3embed.weights.registry import DEFAULT_BASE_URL, PUBLISHED_FILES

TABLE = Path(registry.__file__).with_name("published_weights.tsv").read_text()


def test_every_weight_set_has_a_file_and_a_pin_of_its_own() -> None:
    assert set(PUBLISHED_FILES) == set(ALL_WEIGHT_SETS)
    assert len({file.git_blob for file in PUBLISHED_FILES.values()}) == 12
    for file in PUBLISHED_FILES.values():
        assert re.fullmatch(r"[0-9a-f]{40}", file.git_blob)


def test_a_known_pin() -> None:
    files = {file.file_name: file.git_blob for file in PUBLISHED_FILES.values()}
    blob = files["openl3_audio_mel256_music-v0_4_0.h5.gz"]
    assert blob == "15e483646fa3d4091a463f0affbb706e6bbbb098"


def test_the_files_are_fetched_at_the_commit_that_the_table_was_read_at() -> None:
    commit = re.search(r"commit ([0-9a-f]{40})", TABLE)
    assert commit is not None
    assert f"https://github.com/marl/openl3/raw/{commit[1]}" == DEFAULT_BASE_URL
