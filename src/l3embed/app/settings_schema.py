"""The JSON schema of ``params.yaml`` and ``conf/``, by which editors complete and check settings.

It is made of the typed settings, their rules and the comments of ``conf/``: ``make params`` writes it into
the package, and ``l3embed-params --schema`` from there into a project. Draft 7 is what editors read.
"""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from omegaconf import MISSING

from l3embed.app.conf_comments import Comments, read_comments
from l3embed.app.rules import Rule, rules_of
from l3embed.app.schema_file import CONFIG_FOLDER, PARAMS_FILE, REFERENCE, SCHEMA_FILE, Schema
from l3embed.app.settings import Settings
from l3embed.disk.atomic import replacing

LATER = {"type": "string", "pattern": r"\$\{|^\?\?\?$"}
"""In place of any value: a reference to another setting, or what has to be set elsewhere."""

TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
IN_WORDS = {bool: "true or false", int: "a whole number", float: "a number"}

ANYTHING = Rule()


def settings_schema(comments: Comments, defaults: Schema) -> Schema:
    """Return the schema: of ``params.yaml`` as a whole, and in ``definitions`` of each file in ``conf/``.

    ``definitions`` has ``config`` for ``conf/config.yaml`` and for files of the package ``_global_``, and
    ``model_file`` for those in ``conf/model``.

    Parameters
    ----------
    comments : Comments
        What ``conf/`` says of settings and choices.
    defaults : dict
        The settings as ``conf/`` is composed without further choices.
    """
    hints = get_type_hints(Settings)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    own = _properties(Settings, "", comments, defaults)
    refs = {name: {"$ref": f"{REFERENCE}{name}"} if name in groups else own[name] for name in own}
    definitions: Schema = {name: own[name] for name in groups}
    definitions["defaults"] = _defaults(comments)
    also: Schema = {"defaults": {"$ref": f"{REFERENCE}defaults"}}
    for name in groups:
        inner = {key: {"$ref": f"{REFERENCE}{name}/properties/{key}"} for key in own[name]["properties"]}
        definitions[f"{name}_file"] = _object(own[name]["description"], {**also, **inner})
    hydra = {"hydra": {"type": "object", "description": "Where l3embed-pipeline writes, and how it sweeps."}}
    definitions["config"] = _object("The choices, and settings besides.", {**also, **refs, **hydra})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of l3embed's pipeline",
        **_object(_docstring(Settings), refs),
        "required": [item.name for item in fields(Settings) if item.default is MISSING],
        "definitions": definitions,
    }


def _properties(group: Any, prefix: str, comments: Comments, defaults: Schema) -> Schema:
    """Return a dataclass's fields: their types, rules, comments and values."""
    rules = rules_of(group)
    found: Schema = {}
    for name, kind in get_type_hints(group).items():
        default = defaults.get(name)
        if is_dataclass(kind):
            inner = _properties(kind, f"{prefix}{name}.", comments, default or {})
            found[name] = _object(_docstring(kind), inner)
            continue
        described = comments.settings.get(prefix + name) or _docstring(group)
        found[name] = {"description": described, **_value(kind, rules.get(name, ANYTHING))}
        if default is not None and found[name].get("type") != "string":  # texts are each project's own
            found[name]["default"] = default
    return found


def _value(kind: Any, rule: Rule) -> Schema:
    """Return the values of a type that keep to a rule, or stand for those."""
    kinds = get_args(kind) if NoneType in get_args(kind) else (kind,)
    null = ["null"] if NoneType in kinds else []
    if rule.words:
        words: Schema = {"enum": [*rule.words, *([None] if null else [])]}
        lists = [{"type": "array", "items": {"enum": list(rule.words)}}] if rule.is_list_too else []
        return {"anyOf": [words, *lists, LATER]}
    plain = kinds[0]
    if plain is str:
        return {"type": ["string", *null]} if null else {"type": "string"}
    if plain in TYPES:
        # Bounds hold for numbers alone, and the pattern for texts alone.
        message = f"This must be {IN_WORDS[plain]}{' or null' if null else ''}, or refer to one: ${{...}}."
        types = [TYPES[plain], "string", *null]
        return {**LATER, "type": types, "patternErrorMessage": message, **_bounds(rule)}
    return {"anyOf": [_container(plain), LATER]}


def _bounds(rule: Rule) -> Schema:
    bounds: Schema = {} if rule.least is None else {"minimum": rule.least}
    return {**bounds, "anyOf": [{"maximum": 1}, {"multipleOf": 1}]} if rule.is_share else bounds


def _container(kind: Any) -> Schema:
    """Return a list of some type, or a mapping from names to it."""
    is_list = get_origin(kind) is list
    item = get_args(kind)[-1]
    inner = {} if item is Any else {"type": TYPES[item]}
    return {"type": "array", "items": inner} if is_list else {"type": "object", "additionalProperties": inner}


def _defaults(comments: Comments) -> Schema:
    """Return Hydra's list of choices; there may be others than l3embed's: a project's own."""
    properties: Schema = {}
    for group, said in comments.choices.items():
        known = {"enum": list(said), "enumDescriptions": list(said.values())}
        choice = {"anyOf": [known, {"type": ["string", "array", "null"]}]}
        properties |= {group: choice, f"override /{group}": choice}
    one = {"type": "object", "properties": properties, "maxProperties": 1}
    return {
        "description": "Which file is taken from each folder of choices, in the order in which they count.",
        "type": "array",
        "items": {"anyOf": [{"type": "string"}, one]},
    }


def _object(description: str, properties: Schema) -> Schema:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _docstring(kind: Any) -> str:
    return " ".join(inspect.getdoc(kind).split())  # type: ignore[union-attr]  # each class has one


def main() -> int:
    """Write the schema into the package, of ``conf/`` and ``params.yaml`` here."""
    defaults = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    schema = settings_schema(read_comments(CONFIG_FOLDER), defaults)
    with replacing(SCHEMA_FILE) as temporary:
        temporary.write_text(schema_text(schema), encoding="utf-8")
    return 0


def schema_text(schema: Schema) -> str:
    """Return the schema as it is written."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
