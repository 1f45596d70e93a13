"""The plan of a packed run: which inputs there are and in what state, part by part.

It is what the stage ``preprocess`` leaves to ``embed``, which reads the files themselves. It changes with the
inputs' bytes, and with whatever decides about what is read of them; so ``embed`` need depend on nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import replacing
from l3embed.disk.seals import reading, seal
from l3embed.errors import OpenL3Error
from l3embed.export.labels import Label
from l3embed.stages.dataset_input import Input
from l3embed.variants import Media, Modality

PLAN_FILE = "plan.parquet"
STAGE = "preprocess"
"""Which stage writes it."""

OWN_TEXTS = ("digest", "identity", "fault")
"""Columns with what is known of an input beside what it is."""

KEY = "l3embed"
"""Of what the file says of itself, in JSON."""


@dataclass(frozen=True)
class PlannedInput:
    """One input in one modality.

    Parameters
    ----------
    input : Input
        Which.
    sha256 : str
        Of its bytes; empty if they cannot be read, or are not here and were not needed yet.
    identity : str
        What else its bytes are known by: where a remote file lies, and what changes with it.
    fault : str
        Why they cannot be; nothing, if they can.
    label : Label
        Its class, as far as it is known by now.
    """

    input: Input
    sha256: str = ""
    identity: str = ""
    fault: str = ""
    label: Label = field(default_factory=Label)

    @property
    def path(self) -> str:
        """What the input is called in all tables."""
        return table_name(self.input.path)


@dataclass(frozen=True)
class PartId:
    """One part of what one network makes of a dataset."""

    modality: Modality
    number: int


def table_name(path: str) -> str:
    """Return the name of an input as tables can hold it: where it is no UTF-8, with escapes."""
    return path.encode(errors="backslashreplace").decode()


def write_plan(
    folder: Path,
    parts: Iterable[tuple[PartId, list[PlannedInput]]],
    parameters: Mapping[str, Any],
) -> None:
    """Write the plan: a row group for each part, so that one is read at a time.

    Parameters
    ----------
    folder : Path
        The stage's output.
    parts : iterable
        The inputs of each part, sorted by path; no part is empty.
    parameters : mapping
        What else decides about what is read of the inputs, for JSON.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    path = folder / PLAN_FILE
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for part, inputs in parts:
            rows = [_row(part, planned) for planned in inputs]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))
        writer.add_key_value_metadata({KEY: json.dumps(parameters, sort_keys=True)})
    seal(path)


class Plan:
    """A plan, read part by part.

    Raises
    ------
    OpenL3Error
        If there is none, or it is not as the stage has written it.
    """

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as pq

        path = folder / PLAN_FILE
        with reading(path, STAGE):
            self._file = pq.ParquetFile(path)
            self._groups: dict[PartId, int] = {}
            self.inputs: dict[PartId, int] = {}
            for number in range(self._file.num_row_groups):
                first = (
                    self._file.read_row_group(number, columns=["part", "modality"]).slice(0, 1).to_pylist()
                )
                if not first:
                    raise OpenL3Error("It has a part without inputs.")
                part = PartId(Modality(first[0]["modality"]), first[0]["part"])
                self._groups[part] = number
                self.inputs[part] = self._file.metadata.row_group(number).num_rows

    @property
    def modalities(self) -> list[Modality]:
        """The networks that there is anything for."""
        return [modality for modality in Modality if self.parts(modality)]

    def parts(self, modality: Modality) -> list[PartId]:
        """Return the parts of one network."""
        return [part for part in self._groups if part.modality is modality]

    @property
    def has_labels(self) -> bool:
        """Whether any input has a label of its own, as those of a listing may."""
        groups = range(self._file.num_row_groups)
        columns = (self._file.read_row_group(number, columns=["label"])["label"] for number in groups)
        return any(column.null_count < len(column) for column in columns)

    def read(self, part: PartId) -> list[PlannedInput]:
        """Read the inputs of one part, sorted by path."""
        return [_planned(row) for row in self._file.read_row_group(self._groups[part]).to_pylist()]

    def __iter__(self) -> Iterator[tuple[PartId, list[PlannedInput]]]:
        return ((part, self.read(part)) for part in self._groups)


def _schema() -> Any:
    """Return the columns: those of inputs by their own names, and what is known of them here."""
    import pyarrow as pa

    numbers = {"start_s": pa.float64(), "end_s": pa.float64(), "bytes": pa.int64(), "offset": pa.int64()}
    own = [("part", pa.int32()), *((name, pa.string()) for name in ("modality", *OWN_TEXTS))]
    return pa.schema(own + [(each.name, numbers.get(each.name, pa.string())) for each in fields(Input)])


def _row(part: PartId, planned: PlannedInput) -> dict[str, Any]:
    input_ = {each.name: getattr(planned.input, each.name) for each in fields(Input)}
    input_ |= {"path": planned.path, "media": planned.input.media.value}
    own = {"digest": planned.sha256, "identity": planned.identity, "fault": planned.fault}
    return input_ | own | {"part": part.number, "modality": part.modality.value}


def _planned(row: Mapping[str, Any]) -> PlannedInput:
    values = {each.name: row[each.name] for each in fields(Input)}
    input_ = Input(**(values | {"media": Media(row["media"])}))
    label = Label(input_.label or "", input_.fold or "")
    return PlannedInput(input_, row["digest"], row["identity"], row["fault"], label)
