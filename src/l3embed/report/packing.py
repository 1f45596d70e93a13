"""Figures and names in forms that are small and safe inside of a page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from markupsafe import Markup

GREY_LEVELS = 255


def pack(values: npt.ArrayLike, kind: npt.DTypeLike) -> str:
    """Return numbers as Base64 of their little-endian bytes, for a typed array of JavaScript."""
    array = np.ascontiguousarray(values, np.dtype(kind).newbyteorder("<"))
    return as_text(array.tobytes())


def as_text(content: bytes) -> str:
    """Return bytes as Base64."""
    return base64.b64encode(content).decode("ascii")


def as_json(value: Any) -> Markup:
    """Return JSON that can stand inside of a ``script`` element, whatever the strings in it hold."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # The element ends at the first "</script", and "<!--" changes how it is read.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (made safe right here)


def script_hash(script: str) -> str:
    """Return the source expression by which a content security policy allows one script, and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{as_text(digest)}'"


def as_grey_png(values: npt.NDArray[np.floating[Any]], low: float, high: float) -> str:
    """Return a matrix as a grey image, Base64 of PNG: black is `low`, white is `high`."""
    from PIL import Image

    levels = np.clip((values - low) / ((high - low) or 1), 0, 1) * GREY_LEVELS
    encoded = io.BytesIO()
    Image.fromarray(np.round(levels).astype(np.uint8)).save(encoded, "PNG", optimize=True)
    return as_text(encoded.getvalue())
