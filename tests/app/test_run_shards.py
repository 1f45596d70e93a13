"""Which shard of a packed run a call is, and how the last call knows that all have been there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from l3embed.app.params import compose_params
from l3embed.app.run_shards import (
    begin_shard,
    check_folder_is_fixed,
    chosen_shard,
    end_shard,
    shard_layout,
    whole_layout,
)
from l3embed.app.settings import Settings, parse_settings
from l3embed.disk.json_files import write_json
from l3embed.errors import OpenL3Error
from l3embed.stages.packed.partitions import Shard, parse_shard

CONF = Path(__file__).parents[2] / "conf"
ARRAY = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_ARRAY_TASK_MIN": "0"}


def settings(*overrides: str) -> Settings:
    return parse_settings(yaml.safe_load(compose_params(CONF, ["layout=packed", *overrides])))


@pytest.mark.parametrize(
    ("overrides", "environment", "is_sweep", "expected"),
    [
        ([], {}, False, None),
        (["shard=2/4"], {}, False, Shard(2, 4)),
        ([], ARRAY, False, Shard(3, 8)),
        (["shard=2/4"], ARRAY, False, Shard(2, 4)),
        (["shard=all"], ARRAY, False, None),
        ([], ARRAY, True, None),
        (["layout=files"], ARRAY, False, None),
    ],
    ids=["none", "setting", "array", "setting first", "all", "sweep", "files"],
)
def test_a_call_is_a_shard_if_the_settings_or_slurm_say_so(
    overrides: list[str], environment: dict[str, str], is_sweep: bool, expected: Shard | None
) -> None:
    assert chosen_shard(settings(*overrides), environment, is_sweep=is_sweep) == expected


@pytest.mark.parametrize(
    "numbers",
    [("5", "1", "5"), ("8", "8", "1"), ("0", "", ""), ("6", "4", "0")],
    ids=["one of an array", "from 1 on", "no count", "with gaps"],
)
def test_an_array_whose_numbers_name_no_shards_is_refused(numbers: tuple[str, str, str]) -> None:
    environment = dict(zip(ARRAY, numbers, strict=True))
    with pytest.raises(OpenL3Error, match=r"begins at 0.*shard=\$SLURM_ARRAY_TASK_ID/8"):
        chosen_shard(settings(), environment, is_sweep=False)


@pytest.mark.parametrize("text", ["8/8", "1", "0/0", "-1/4", "a/b"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(OpenL3Error, match="shard must be I/N"):
        parse_shard(text)


def test_shards_are_of_packed_runs() -> None:
    with pytest.raises(OpenL3Error, match=r"shard=0/2 goes with layout=packed; got layout=files"):
        settings("layout=files", "shard=0/2")


def test_shards_need_one_folder() -> None:
    check_folder_is_fixed(Shard(0, 2), "runs/birds")
    with pytest.raises(OpenL3Error, match=r"set hydra\.run\.dir=runs/NAME"):
        check_folder_is_fixed(Shard(0, 2), "runs/${now:%Y-%m-%d}")


def done(run: Path, number: int, count: int) -> None:
    layout = shard_layout(run, Shard(number, count))
    begin_shard(layout)
    write_json(layout.metrics_of("embed"), {"computed": 1})
    end_shard(layout)


def test_the_last_call_names_the_shards_that_are_missing(tmp_path: Path) -> None:
    assert whole_layout(tmp_path).store is None
    for number in (0, 1, 3):
        done(tmp_path, number, 4)
    begin_shard(shard_layout(tmp_path, Shard(1, 4)))  # it was started again, and killed
    with pytest.raises(OpenL3Error, match=r"of 4 shards: 1, 2\).*as in shard=1/4 hydra\.run\.dir="):
        whole_layout(tmp_path)
    for number in (1, 2):
        done(tmp_path, number, 4)
    assert whole_layout(tmp_path).store == shard_layout(tmp_path, Shard(0, 4)).store


def test_a_run_that_was_shared_out_anew_needs_one_set_of_shards(tmp_path: Path) -> None:
    done(tmp_path, 0, 4)
    done(tmp_path, 0, 2)
    done(tmp_path, 1, 2)
    assert whole_layout(tmp_path).store


def test_packed_runs_write_npz_only_if_that_is_asked_for() -> None:
    assert settings().export.chosen_formats() == ()
    assert settings("export=npz").export.chosen_formats() == ("npz",)
    with pytest.raises(OpenL3Error, match="the export is Parquet already"):
        settings("export=parquet")


def test_the_group_layout_is_set_as_a_whole() -> None:
    with pytest.raises(OpenL3Error, match="Set the group as a whole: layout=files"):
        parse_settings(yaml.safe_load(compose_params(CONF, ["layout=packed", "layout.name=files"])))


def test_labels_make_the_stage_embed_run_again_where_its_rows_have_them() -> None:
    table = settings("labels=table", "labels.table=labels.csv").layout.parts_depend_on
    assert (table.source, table.table) == ("table", "labels.csv")
    assert settings("layout=files").layout.parts_depend_on.source is None
