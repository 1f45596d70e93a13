"""What a JSON file holds as dataclasses, whose types are checked."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from l3embed.errors import OpenL3Error

Kind = TypeVar("Kind")


def to_json(value: Any) -> dict[str, Any]:
    """Return a dataclass as a JSON object, its fields in their order."""
    return asdict(value)


def from_json(kind: type[Kind], value: object, name: str = "it") -> Kind:
    """Return the dataclass that a JSON object was made of.

    Raises
    ------
    OpenL3Error
        Naming what is of another type, missing, or not known.
    """
    made: Kind = _parsed(kind, value, name)
    return made


def _parsed(kind: Any, value: object, name: str) -> Any:
    if is_dataclass(kind):
        return _dataclass(kind, value, name)
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _wrong(name, "a list", value)
        return tuple(_parsed(arguments[0], item, f"{name}[{place}]") for place, item in enumerate(value))
    if get_origin(kind) is dict:
        items = _mapping(value, name).items()
        return {key: _parsed(arguments[1], item, f"{name}.{key}") for key, item in items}
    if isinstance(kind, types.UnionType):
        (inner,) = (each for each in arguments if each is not type(None))
        return None if value is None else _parsed(inner, value, name)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:  # a bool is no int here
        raise _wrong(name, kind.__name__, value)
    return value


def _dataclass(kind: Any, value: object, name: str) -> Any:
    given, hints = _mapping(value, name), get_type_hints(kind)
    required = [field.name for field in fields(kind) if field.default is MISSING]
    if wrong := sorted({*required} - {*given} | {*given} - {*hints}):
        raise OpenL3Error(f"{name} must have {', '.join(hints)}; what is missing or not known: {wrong[0]}")
    return kind(**{key: _parsed(hints[key], item, f"{name}.{key}") for key, item in given.items()})


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def _wrong(name: str, wanted: str, value: object) -> OpenL3Error:
    return OpenL3Error(f"{name} must be {wanted}; got {str(value)[:40]!r}")
