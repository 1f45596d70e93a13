"""The table of formats: what is in it, and that one module and one row make a new format."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import run_child

from l3embed.app.params import compose_params
from l3embed.app.settings import parse_settings
from l3embed.errors import OpenL3Error
from l3embed.export.formats import FORMATS, Embedded, RowLayout, Rows, format_writer

CONFIG = Path(__file__).parents[2] / "conf"


def write_lines(folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
    """Write JSON lines: an example of a format, and the whole of it."""
    with (folder / "lines.jsonl").open("w") as file:
        for item in inputs:
            mean = np.load(item.moments)[0].tolist()
            line = {"path": item.row.path, "label": item.row.label, "rows": layout.rows.value, "mean": mean}
            file.write(json.dumps(line) + "\n")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> str:
    """A further format: a module, and a row of the table."""
    module = ModuleType("lines_format")
    module.write = write_lines  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(FORMATS, "lines", module.__name__)
    return "lines"


def composed(*overrides: str) -> Any:
    import yaml

    return parse_settings(yaml.safe_load(compose_params(CONFIG, overrides))).export


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_writer(name: str) -> None:
    assert callable(format_writer(name))


def test_the_table_loads_no_format() -> None:
    program = "import l3embed.export.formats, sys; print(*sys.modules)"
    done = run_child([sys.executable, "-c", program])
    assert not {"numpy", "pyarrow", *FORMATS.values()} & set(done.stdout.split())


def test_an_unknown_format_is_named_with_those_that_there_are() -> None:
    with pytest.raises(OpenL3Error, match=r"export\.formats must be one of npz, parquet, lance; got 'hdf5'"):
        format_writer("hdf5")


@pytest.mark.parametrize(
    ("overrides", "formats"),
    [
        ((), ("npz",)),
        (("export=npz",), ("npz",)),
        (("export=parquet",), ("npz", "parquet")),
        (("export.formats=[parquet]",), ("parquet",)),
        (("export.parquet=true",), ("npz", "parquet")),
        (("export=parquet", "export.parquet=false"), ("npz",)),
    ],
    ids=" ".join,
)
def test_the_configuration_chooses_formats(overrides: Sequence[str], formats: tuple[str, ...]) -> None:
    assert composed(*overrides).chosen_formats() == formats


def test_settings_take_a_further_format(lines: str) -> None:
    assert composed(f"export.formats=[npz,{lines}]").chosen_formats() == ("npz", lines)


def test_errors_name_a_further_format(lines: str) -> None:
    with pytest.raises(OpenL3Error, match=f"must be one of npz, parquet, lance, {lines}; got 'hdf5'"):
        composed("export.formats=[hdf5]")


def test_a_further_format_is_written(lines: str, inputs: list[Embedded], tmp_path: Path) -> None:
    format_writer(lines)(tmp_path, inputs, RowLayout(Rows.FILES))
    rows = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows] == [item.row.path for item in inputs]
    assert {row["rows"] for row in rows} == {"files"}


def test_an_npz_is_the_file_that_was_computed(inputs: list[Embedded], tmp_path: Path) -> None:
    named = [replace(item, row=replace(item.row, output=f"{n}/a.npz")) for n, item in enumerate(inputs)]
    format_writer("npz")(tmp_path, named, RowLayout())
    for n, item in enumerate(inputs):
        assert (tmp_path / f"{n}/a.npz").samefile(item.embeddings)
