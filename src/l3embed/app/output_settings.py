"""The groups of settings about what is written, and into how many files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from l3embed.errors import OpenL3Error
from l3embed.export.formats import FORMATS, Dtype, Pooling, RowLayout, Rows, check_format
from l3embed.variants import parse_choice


@dataclass
class ExportSettings:
    """What is written. `parquet` is an older word: true adds that format, and false takes it away."""

    formats: Any = field(default_factory=lambda: ["npz"])
    parquet: bool | None = None
    rows: str = MISSING
    pooling: str = MISSING
    dtype: str = MISSING

    def __post_init__(self) -> None:
        self.chosen_formats()
        self.layout()

    def chosen_formats(self) -> tuple[str, ...]:
        """Return the formats that are to be written, in the order of their table."""
        chosen = dict.fromkeys(FORMATS, False)
        for name in self.formats if isinstance(self.formats, list) else [self.formats]:
            check_format(name)
            chosen[name] = True
        if self.parquet is not None:
            chosen["parquet"] = self.parquet
        return tuple(name for name, is_chosen in chosen.items() if is_chosen)

    def layout(self) -> RowLayout:
        """Return the formats' word for how rows are laid out."""
        return RowLayout(
            rows=parse_choice(Rows, "export.rows", self.rows),
            pooling=parse_choice(Pooling, "export.pooling", self.pooling),
            dtype=parse_choice(Dtype, "export.dtype", self.dtype),
        )


class OutputLayout(str, Enum):
    """How many files a run makes: one or more an input, or few, large ones."""

    FILES = "files"
    PACKED = "packed"


@dataclass
class PartSettings:
    """What the stage ``embed`` depends on besides, for DVC: where rows have labels from, if any have."""

    source: str | None = None
    table: str | None = None
    definition: str | None = None


@dataclass
class LayoutSettings:
    """How many files there are."""

    name: str = OutputLayout.FILES.value
    dtype: str = Dtype.FLOAT32.value
    parts_depend_on: PartSettings = field(default_factory=PartSettings)

    def __post_init__(self) -> None:
        layout = parse_choice(OutputLayout, "layout.name", self.name)
        parse_choice(Dtype, "layout.dtype", self.dtype)
        if self.is_packed != (self.parts_depend_on.source is not None):
            raise OpenL3Error(
                f"layout.name is {self.name!r}, which does not go together with layout.parts_depend_on. "
                f"Set the group as a whole: layout={layout.value}."
            )

    @property
    def is_packed(self) -> bool:
        """Whether embeddings go straight into few, large files."""
        return self.name == OutputLayout.PACKED.value
