"""The schema of the settings as it is installed, and what shells complete by it: without anything heavy."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("settings.schema.json")
"""The schema, as it is installed."""

CONFIG_FOLDER = Path("conf")
PARAMS_FILE = Path("params.yaml")

PROJECT_FILE = CONFIG_FOLDER / SCHEMA_FILE.name
"""Where a project has it: an installed package lies elsewhere on each machine."""

REFERENCE = "#/definitions/"

DERIVED = re.compile(r"\.definition\Z|\.definitions\b|\.preprocessed\b")
"""Settings that follow from others: nobody means them."""

Schema = dict[str, Any]


def add_overrides(parser: argparse.ArgumentParser, words: str) -> None:
    """Add the settings on a command line to its parser, to be completed by shells.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of ``l3embed-params`` or ``l3embed-pipeline``.
    words : str
        The help.
    """
    overrides: Any = parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=words)
    overrides.completer = complete_override


def complete_override(prefix: str, **_: object) -> dict[str, str]:
    """Return what may be meant by the beginning of a ``KEY=VALUE``, with what is said of each."""
    schema: Schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    groups, settings = _groups(schema), dict(_settings(schema, schema))
    key, equals, value = prefix.partition("=")
    if not equals:
        about = {name: schema["definitions"].get(name, {}).get("description", "") for name in groups}
        about |= {name: own["description"] for name, own in settings.items() if not DERIVED.search(name)}
        return {f"{name}=": words for name, words in about.items() if name.startswith(key)}
    before, comma, last = value.rpartition(",")  # of several values, to be tried out one after the other
    known = groups.get(key) or (_values(settings[key], last) if key in settings else {})
    return {f"{key}={before}{comma}{name}": words for name, words in known.items() if name.startswith(last)}


def _groups(schema: Schema) -> dict[str, dict[str, str]]:
    """Return the choices of each group, l3embed's and a project's own, with what is said of them."""
    listed = schema["definitions"]["defaults"]["items"]["anyOf"][1]["properties"]
    known = {name: value["anyOf"][0] for name, value in listed.items() if " " not in name}
    found = {
        name: dict(zip(own["enum"], own["enumDescriptions"], strict=True)) for name, own in known.items()
    }
    for file in sorted(CONFIG_FOLDER.glob("**/*.yaml")):
        group = file.parent.relative_to(CONFIG_FOLDER).as_posix()
        if group != ".":
            found.setdefault(group, {}).setdefault(file.stem, "")
    return found


def _settings(schema: Schema, part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield the schema of each setting, by its name as in ``windows.hop_s``."""
    for name, value in part["properties"].items():
        own = schema["definitions"][value["$ref"].removeprefix(REFERENCE)] if "$ref" in value else value
        if "properties" in own:
            yield from _settings(schema, own, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", own


def _values(setting: Schema, beginning: str) -> dict[str, str]:
    """Return the values of a setting that can be listed; paths, if it may be any text."""
    types = setting.get("type", ())
    if "pattern" not in setting and "string" in types:
        return dict.fromkeys(_paths(beginning), "")
    if "boolean" in types:
        return {"true": "", "false": ""}
    words: Iterable[object] = setting.get("anyOf", [{}])[0].get("enum", ())
    return {"null" if word is None else str(word): "" for word in words}


def _paths(beginning: str) -> list[str]:
    """Return the files and folders whose paths begin so; those of folders end with a slash."""
    folder, name = os.path.split(beginning)
    try:
        with os.scandir(folder or ".") as entries:
            found = [entry for entry in entries if entry.name.startswith(name)]
    except OSError:
        return []
    is_hidden = name.startswith(".")
    return [
        os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")  # noqa: PTH118 (kept as written)
        for entry in sorted(found, key=lambda entry: entry.name)
        if is_hidden or not entry.name.startswith(".")
    ]
