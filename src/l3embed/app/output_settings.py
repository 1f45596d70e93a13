"""The groups of settings about what is written, and into how many files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from l3embed.app.rules import check_rules, one_of
from l3embed.errors import OpenL3Error
from l3embed.export.card.licences import parse_licence
from l3embed.export.card.study import Study
from l3embed.export.formats import FORMATS, Dtype, Pooling, RowLayout, Rows, check_format

VERSION = re.compile(r"\d+\.\d+\.\d+")
"""What Croissant asks of a dataset's version."""


@dataclass
class ExportSettings:
    """What is written. `parquet` is an older word: true adds that format, and false takes it away.

    With `card`, a dataset card and a Croissant file are written beside Parquet; `CardSettings` says what of.
    """

    formats: Any = one_of(FORMATS, ["npz"], is_list_too=True)  # noqa: RUF009 (a field)
    parquet: bool | None = None
    rows: str = one_of(Rows)
    pooling: str = one_of(Pooling)
    dtype: str = one_of(Dtype)
    card: bool = False

    def __post_init__(self) -> None:
        self.chosen_formats()
        check_rules("export.", self)

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
        return RowLayout(Rows(self.rows), Pooling(self.pooling), Dtype(self.dtype))


@dataclass
class CardSettings:
    """What the author of a study says of it; nothing is guessed."""

    title: str = "OpenL3 embeddings"
    description: str | None = None
    authors: list[str] = field(default_factory=list)
    license: str | None = None
    license_name: str | None = None
    url: str | None = None
    version: str | None = None
    published: str | None = None
    citation: str | None = None

    def __post_init__(self) -> None:
        self.parse()

    def parse(self) -> Study:
        """Return the export's word for it."""
        if not self.title.strip() or "\n" in self.title.strip():
            raise OpenL3Error(f"card.title must be one line of text; got {self.title!r}.")
        if self.url and not self.url.startswith(("https://", "http://")):
            raise OpenL3Error(f"card.url must be null or an https:// or http:// address; got {self.url!r}.")
        if self.version and not VERSION.fullmatch(self.version):
            raise OpenL3Error(
                f"card.version must be null or three numbers, as in 1.0.0; got {self.version!r}."
            )
        if self.published and not _is_day(self.published):
            raise OpenL3Error(
                f"card.published must be null or a day, as in 2026-11-22; got {self.published!r}."
            )
        return Study(
            title=self.title.strip(),
            description=(self.description or "").strip(),
            authors=tuple(self.authors),
            licence=parse_licence(self.license, self.license_name),
            url=self.url or "",
            version=self.version or "",
            published=self.published or "",
            citation=(self.citation or "").strip(),
        )

    @property
    def stated(self) -> list[str]:
        """The settings that have a value, but for the title, which always has one."""
        return [f"card.{name}" for name, value in vars(self).items() if value and name != "title"]


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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

    name: str = one_of(OutputLayout, OutputLayout.FILES.value)
    dtype: str = one_of(Dtype, Dtype.FLOAT32.value)
    parts_depend_on: PartSettings = field(default_factory=PartSettings)

    def __post_init__(self) -> None:
        check_rules("layout.", self)
        if self.is_packed != (self.parts_depend_on.source is not None):
            raise OpenL3Error(
                f"layout.name is {self.name!r}, which does not go together with layout.parts_depend_on. "
                f"Set the group as a whole: layout={self.name}."
            )

    @property
    def is_packed(self) -> bool:
        """Whether embeddings go straight into few, large files."""
        return self.name == OutputLayout.PACKED.value
