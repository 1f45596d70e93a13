"""Where a file of a listing lies: a path, a URI, or a member of a ``.tar``; and its name in outputs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from l3embed.errors import OpenL3Error

REMOTE_SCHEMES = ("gs", "hf", "http", "https", "s3")
"""What may stand before ``://``, besides ``file`` and ``tar``."""

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
"""A scheme has two letters at least: ``C:`` is a drive."""

TAR_SCHEME = "tar://"
CHAIN = "::"
"""Between a member and its shard, as fsspec has it: ``tar://a/b.wav::s3://bucket/shard.tar``."""


@dataclass(frozen=True)
class Location:
    """Where a file lies.

    Parameters
    ----------
    address : str
        Path or URI of the file, or of the ``.tar`` that it is in.
    member : str
        Its name in that.
    """

    address: str
    member: str = ""

    @property
    def scheme(self) -> str:
        """What is before ``://``, in lower case; nothing for a path."""
        return scheme_of(self.address)

    @property
    def is_remote(self) -> bool:
        """Whether what holds it has to be brought here."""
        return bool(self.scheme)

    @property
    def is_local_file(self) -> bool:
        """Whether it can be opened where it is."""
        return not self.is_remote and not self.member

    def __str__(self) -> str:
        return f"{TAR_SCHEME}{self.member}{CHAIN}{self.address}" if self.member else self.address


def scheme_of(address: str) -> str:
    """Return what an address has before ``://``, in lower case; nothing if it is a path."""
    found = SCHEME.match(address)
    return found[1].lower() if found else ""


def address_in(text: str) -> str:
    """Return the path or URI of a file, or of the shard that it is a member of."""
    return text.partition(CHAIN)[2] if text.startswith(TAR_SCHEME) else text


def parse_location(text: str, folder: Path) -> Location:
    """Read a location; paths that are not absolute count from a folder.

    Raises
    ------
    OpenL3Error
        If it is of a scheme that is not known, or names nothing.
    """
    member = ""
    if text.startswith(TAR_SCHEME):
        member, chain, text = text[len(TAR_SCHEME) :].partition(CHAIN)
        member = member.strip("/")
        if not chain or not member:
            raise OpenL3Error(
                f"A member of a shard must be written {TAR_SCHEME}MEMBER{CHAIN}SHARD.tar; got {text!r}."
            )
    scheme = scheme_of(text)
    if scheme == "file":
        text = url2pathname(unquote(urlsplit(text).path) if os.name == "posix" else urlsplit(text).path)
    elif scheme:
        _check_scheme(scheme, text)
        return Location(text, member)
    if not text or "\0" in text:
        raise OpenL3Error(f"It must be a path or a URI; got {text!r}.")
    return Location(str(folder / text), member)


def _check_scheme(scheme: str, text: str) -> None:
    if scheme not in REMOTE_SCHEMES:
        known = ", ".join(f"{name}://" for name in ("file", *REMOTE_SCHEMES))
        raise OpenL3Error(f"It must be a path, or begin with one of {known}; got {text!r}.")
    if not urlsplit(text).netloc:
        raise OpenL3Error(f"It must name a host or bucket behind {scheme}://; got {text!r}.")


def name_of(text: str) -> str:
    """Return what a location is called in outputs: a relative path with slashes, which climbs nowhere.

    A path that is relative keeps its steps, but those that are ``.`` or ``..``. Of a URI it is host or bucket
    and path, without the query; a member of a shard lies below the shard's name.
    """
    member = ""
    if text.startswith(TAR_SCHEME):
        member, _, text = text[len(TAR_SCHEME) :].partition(CHAIN)
    scheme = scheme_of(text)
    if scheme:
        parts = urlsplit(text)
        is_web = scheme in ("http", "https", "file")
        # Keys of object stores may hold any sign, also those that begin a query.
        text = f"{parts.netloc}/{unquote(parts.path)}" if is_web else text.partition("://")[2]
    elif os.name == "nt":
        text = text.replace("\\", "/").replace(":", "")
    steps = f"{text}/{member}".split("/")
    return "/".join(step for step in steps if step not in ("", ".", ".."))
