"""The page on installing names every extra that there is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "start" / "install.md"

OF_DEVELOPERS = {"dev", "docs"}


def test_every_extra_has_its_row() -> None:
    text = PAGE.read_text(encoding="utf-8").split("\n## Extras\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9]+)` \|", text, flags=re.M)
    # As it stands: what is installed may be older, and Python 3.10 reads no TOML.
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = project.split("\n[project.optional-dependencies]\n")[1].split("\n[")[0]
    found = set(re.findall(r"^([a-z0-9]+) = \[", extras, flags=re.M))
    assert sorted(rows) == sorted(found - OF_DEVELOPERS)
